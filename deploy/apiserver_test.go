package deploy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// TestOnAPIServer applies everything to a real API server, which checks more than a decoder
// does. The parts run in order, because the demo's Service replaces the base's.
func TestOnAPIServer(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a Kubernetes API server when it runs for the first time")
	}
	c := controlplane.StartTest(t, controlplane.Options{})
	t.Run("base", func(t *testing.T) { apply(t, c, build(t, baseDir)) })
	t.Run("role", func(t *testing.T) { testRole(t, c.Client()) })
	t.Run("rights", func(t *testing.T) { testRights(t, c.Client(), kubeadmGrants) })
	t.Run("base again", func(t *testing.T) { testApplyTwice(t, c) })
	t.Run("node", func(t *testing.T) { testNode(t, c) })
	t.Run("multicluster", func(t *testing.T) { testMultiCluster(t, c) })
	t.Run("demo", func(t *testing.T) { apply(t, c, readDir(t, demoDir)) })
}

func apply(t *testing.T, c *controlplane.Cluster, stream []byte) {
	t.Helper()
	if err := c.Apply(t.Context(), stream); err != nil {
		t.Fatal(err)
	}
}

func testRole(t *testing.T, client kubernetes.Interface) {
	role, err := client.RbacV1().ClusterRoles().Get(t.Context(), roleName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(kubeadmGrants, grants(role)); diff != "" {
		t.Errorf("kubeadm (-), ours (+):\n%s", diff)
	}
}

// testRights asks the API server what the ServiceAccount may do, because a role without a
// binding grants nothing. The authorizer knows new roles a moment after they are stored.
func testRights(t *testing.T, client kubernetes.Interface, want []string) {
	var got []string
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if got = rights(t, client); slices.Equal(got, want) {
			return
		}
	}
	t.Errorf("wanted (-), granted (+):\n%s", cmp.Diff(want, got))
}

// rights returns which verbs are allowed on the resources that the server reads, and on
// others that it must not.
func rights(t *testing.T, client kubernetes.Interface) []string {
	t.Helper()
	var granted []string
	for _, verb := range []string{"get", "list", "watch", "create", "update", "patch", "delete"} {
		for _, resource := range []string{
			"endpoints", "namespaces", "pods", "services", "configmaps", "events", "nodes", "secrets",
			"discovery.k8s.io/endpointslices", "coordination.k8s.io/leases", "multicluster.x-k8s.io/serviceimports",
		} {
			if allowed(t, client, verb, resource) {
				granted = append(granted, verb+" "+resource)
			}
		}
	}
	slices.Sort(granted)
	return granted
}

func allowed(t *testing.T, client kubernetes.Interface, verb, resource string) bool {
	t.Helper()
	group, name, grouped := strings.Cut(resource, "/")
	if !grouped {
		group, name = "", resource
	}
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + namespace + ":coredns",
		ResourceAttributes: &authorizationv1.ResourceAttributes{Verb: verb, Group: group, Resource: name},
	}}
	reply, err := client.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return reply.Status.Allowed
}

func testApplyTwice(t *testing.T, c *controlplane.Cluster) {
	before := versions(t, c.Client())
	apply(t, c, build(t, baseDir))
	if diff := cmp.Diff(before, versions(t, c.Client())); diff != "" {
		t.Errorf("versions after the first apply (-), after the second (+):\n%s", diff)
	}
}

// versions returns the resource versions of the base's objects. A version changes with
// every write that changes its object.
func versions(t *testing.T, client kubernetes.Interface) map[string]string {
	t.Helper()
	found := map[string]string{}
	add := func(obj metav1.Object, err error) {
		if err != nil {
			t.Fatal(err)
		}
		found[fmt.Sprintf("%T", obj)] = obj.GetResourceVersion()
	}
	ctx, get := t.Context(), metav1.GetOptions{}
	add(client.CoreV1().ServiceAccounts(namespace).Get(ctx, "coredns", get))
	add(client.RbacV1().ClusterRoles().Get(ctx, roleName, get))
	add(client.RbacV1().ClusterRoleBindings().Get(ctx, roleName, get))
	add(client.CoreV1().ConfigMaps(namespace).Get(ctx, "coredns", get))
	add(client.AppsV1().Deployments(namespace).Get(ctx, "coredns", get))
	add(client.CoreV1().Services(namespace).Get(ctx, "kube-dns", get))
	add(client.PolicyV1().PodDisruptionBudgets(namespace).Get(ctx, "coredns", get))
	return found
}
