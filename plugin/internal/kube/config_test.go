package kube

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
)

// A path may contain any character but the zero byte, even a line break.
func TestManifestPathsAreKeptApart(t *testing.T) {
	paths := []string{"/a\nb", "/c d", "/e,f"}
	if got := (Config{Manifests: ManifestPaths(paths...)}).manifestPaths(); !slices.Equal(got, paths) {
		t.Errorf("%q, want %q", got, paths)
	}
	if ManifestPaths("/a\nb") == ManifestPaths("/a", "b") {
		t.Error("one path is taken for two")
	}
	folder := filepath.Join(t.TempDir(), "two\nlines")
	kubetest.Write(t, folder, map[string]string{"a.yaml": kubetest.WebService})
	if _, err := New(Config{Manifests: ManifestPaths(folder)}, Options{}); err != nil {
		t.Error(err)
	}
}
