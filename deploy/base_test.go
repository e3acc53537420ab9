package deploy

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const baseDir = "kubernetes"

func TestBaseEqualsKubeadm(t *testing.T) {
	got, want := decode(t, build(t, baseDir)), expectedBase()
	for k, obj := range want {
		t.Run(k.kind, func(t *testing.T) {
			if diff := cmp.Diff(obj, got[k]); diff != "" {
				t.Errorf("%v: kubeadm (-), ours (+):\n%s", k, diff)
			}
		})
	}
	for k := range got {
		if want[k] == nil {
			t.Errorf("%v is in the base, but not in kubeadm's add-on", k)
		}
	}
}

// TestCorefileEqualsKubeadm compares line by line, because cmp's diff of one long string
// does not show the line.
func TestCorefileEqualsKubeadm(t *testing.T) {
	objs := decode(t, build(t, baseDir))
	got := lookup[*corev1.ConfigMap](t, objs, keyOf(configMap())).Data["Corefile"]
	if diff := cmp.Diff(strings.Split(kubeadmCorefile, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("kubeadm (-), ours (+):\n%s", diff)
	}
}

func TestRoleIsListAndWatchOnly(t *testing.T) {
	role := lookup[*rbacv1.ClusterRole](t, decode(t, build(t, baseDir)), keyOf(clusterRole()))
	if diff := cmp.Diff(kubeadmGrants, grants(role)); diff != "" {
		t.Errorf("kubeadm (-), ours (+):\n%s", diff)
	}
}

// kubeadmGrants are the only rights that the server may need, one on each line, sorted.
var kubeadmGrants = []string{
	"list discovery.k8s.io/endpointslices",
	"list endpoints",
	"list namespaces",
	"list pods",
	"list services",
	"watch discovery.k8s.io/endpointslices",
	"watch endpoints",
	"watch namespaces",
	"watch pods",
	"watch services",
}

// grants returns a role's rules one by one, so that two ways of grouping the same rights
// are equal.
func grants(role *rbacv1.ClusterRole) []string {
	set := map[string]bool{}
	for _, rule := range role.Rules {
		addGrants(set, rule)
	}
	return slices.Sorted(maps.Keys(set))
}

func addGrants(set map[string]bool, rule rbacv1.PolicyRule) {
	for _, group := range rule.APIGroups {
		for _, resource := range rule.Resources {
			for _, verb := range rule.Verbs {
				set[verb+" "+strings.TrimPrefix(group+"/"+resource, "/")] = true
			}
		}
	}
}

// TestOverlaySetsImage follows the recipe in the base's kustomization.yaml.
func TestOverlaySetsImage(t *testing.T) {
	objs := decode(t, build(t, writeOverlay(t, "newName: dns.example/coredns\n  newTag: v1.14.2")))
	want := deployment()
	want.Spec.Template.Spec.Containers[0].Image = "dns.example/coredns:v1.14.2"
	if diff := cmp.Diff(want, lookup[*appsv1.Deployment](t, objs, keyOf(want))); diff != "" {
		t.Errorf("wanted (-), built (+):\n%s", diff)
	}
}

func writeOverlay(t *testing.T, image string) string {
	t.Helper()
	dir := t.TempDir()
	base, err := filepath.Abs(baseDir)
	if err != nil {
		t.Fatal(err)
	}
	base, err = filepath.Rel(dir, base)
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(baseImage, ":")
	text := fmt.Sprintf("resources: [%s]\nimages:\n- name: %s\n  %s\n", base, name, image)
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// build returns the output of `kubectl kustomize dir`.
func build(t *testing.T, dir string) []byte {
	t.Helper()
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := built.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

func lookup[T runtime.Object](t *testing.T, objs map[key]runtime.Object, k key) T {
	t.Helper()
	obj, ok := objs[k].(T)
	if !ok {
		t.Fatalf("no %v", k)
	}
	return obj
}
