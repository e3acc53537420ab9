package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestImageOnlyComponent puts our image in the place of stock's, under each name that stock has,
// and leaves everything else as it was.
func TestImageOnlyComponent(t *testing.T) {
	const ours = "your-registry/coredns:your-tag"
	base := strings.ReplaceAll(string(build(t, baseDir)), baseImage, "STOCK")
	for _, stock := range []string{"coredns/coredns:1.13.1", "docker.io/coredns/coredns:1.15.0", "registry.k8s.io/coredns/coredns:v1.14.2"} {
		dir := overlay(t, strings.ReplaceAll(base, "STOCK", stock))
		got, want := string(build(t, dir)), strings.ReplaceAll(base, "STOCK", ours)
		if diff := cmp.Diff(decode(t, []byte(want)), decode(t, []byte(got))); diff != "" {
			t.Errorf("%s: want (-), got (+):\n%s", stock, diff)
		}
	}
}

// overlay writes an overlay as the component's comment has it, in a folder beside the component,
// because kustomize reads no absolute paths.
func overlay(t *testing.T, manifest string) (dir string) {
	t.Helper()
	dir, err := os.MkdirTemp(".", "overlay-") //nolint:usetesting // see above
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	const kustomization = `resources: [stock.yaml]
components: [../image-only]
images: [{name: registry.example/clusterdns/coredns, newName: your-registry/coredns, newTag: your-tag}]
`
	for name, text := range map[string]string{"stock.yaml": manifest, "kustomization.yaml": kustomization} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
