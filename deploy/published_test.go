package deploy

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
)

const publishedDir = "published"

// publishedGrants are the rights that only the plugin k8s_gateway needs.
var publishedGrants = []string{
	"list externaldns.k8s.io/dnsendpoints",
	"list gateway.networking.k8s.io/gateways",
	"list gateway.networking.k8s.io/grpcroutes",
	"list gateway.networking.k8s.io/httproutes",
	"list gateway.networking.k8s.io/listenersets",
	"list gateway.networking.k8s.io/tlsroutes",
	"list networking.k8s.io/ingresses",
	"watch externaldns.k8s.io/dnsendpoints",
	"watch gateway.networking.k8s.io/gateways",
	"watch gateway.networking.k8s.io/grpcroutes",
	"watch gateway.networking.k8s.io/httproutes",
	"watch gateway.networking.k8s.io/listenersets",
	"watch gateway.networking.k8s.io/tlsroutes",
	"watch networking.k8s.io/ingresses",
}

// The role is bound to the base's ServiceAccount, and replaces no object of the base.
func TestPublishedIsBesideTheBase(t *testing.T) {
	base, extra := decode(t, build(t, baseDir)), decode(t, build(t, publishedDir))
	for k := range extra {
		if base[k] != nil {
			t.Errorf("%v is in the base too", k)
		}
	}
	const name = "coredns-published"
	role := lookup[*rbacv1.ClusterRole](t, extra, key{kind: "ClusterRole", name: name})
	if diff := cmp.Diff(publishedGrants, grants(role)); diff != "" {
		t.Errorf("needed (-), granted (+):\n%s", diff)
	}
	binding := lookup[*rbacv1.ClusterRoleBinding](t, extra, key{kind: "ClusterRoleBinding", name: name})
	if diff := cmp.Diff(clusterRoleBinding().Subjects, binding.Subjects); diff != "" || binding.RoleRef.Name != name {
		t.Errorf("bound to %s; subjects of the base (-), ours (+):\n%s", binding.RoleRef.Name, diff)
	}
}
