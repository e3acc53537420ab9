package deploy

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

const multiClusterDir = "multicluster"

// multiClusterGrants are the rights that only the property multicluster needs.
var multiClusterGrants = []string{
	"list multicluster.x-k8s.io/serviceimports",
	"watch multicluster.x-k8s.io/serviceimports",
}

func TestMultiClusterIsBesideTheBase(t *testing.T) {
	testBesideTheBase(t, multiClusterDir, "coredns-multicluster", multiClusterGrants)
}

// testBesideTheBase checks that the folder's role has these grants, is bound to the base's
// ServiceAccount, and replaces no object of the base.
func testBesideTheBase(t *testing.T, dir, name string, want []string) {
	t.Helper()
	base, extra := decode(t, build(t, baseDir)), decode(t, build(t, dir))
	for k := range extra {
		if base[k] != nil {
			t.Errorf("%v is in the base too", k)
		}
	}
	role := lookup[*rbacv1.ClusterRole](t, extra, key{kind: "ClusterRole", name: name})
	if diff := cmp.Diff(want, grants(role)); diff != "" {
		t.Errorf("needed (-), granted (+):\n%s", diff)
	}
	binding := lookup[*rbacv1.ClusterRoleBinding](t, extra, key{kind: "ClusterRoleBinding", name: name})
	if diff := cmp.Diff(clusterRoleBinding().Subjects, binding.Subjects); diff != "" || binding.RoleRef.Name != name {
		t.Errorf("bound to %s; subjects of the base (-), ours (+):\n%s", binding.RoleRef.Name, diff)
	}
}

// testMultiCluster applies the role after the base, and lists as the ServiceAccount.
func testMultiCluster(t *testing.T, c *controlplane.Cluster) {
	apply(t, c, build(t, multiClusterDir))
	apply(t, c, []byte(controlplane.ServiceImports))
	testRights(t, c.Client(), slices.Sorted(slices.Values(slices.Concat(kubeadmGrants, multiClusterGrants))))
	account, err := c.ServiceAccount(t.Context(), namespace, "coredns")
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(c.RESTConfigFor(account))
	if err != nil {
		t.Fatal(err)
	}
	var last error
	list := func(ctx context.Context) (bool, error) {
		last = client.CoreV1().RESTClient().Get().AbsPath("/apis/multicluster.x-k8s.io/v1alpha1/serviceimports").Do(ctx).Error()
		return last == nil, nil
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 30*time.Second, true, list); err != nil {
		t.Errorf("listing ServiceImports: %v: %v", err, last)
	}
}
