package clusterdns

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/watch"
)

// manifest is a source that needs no API server: one Namespace in a file.
func manifest(t *testing.T) kube.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(path, []byte("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	return kube.Config{Manifests: path}
}

// nowhere is an API server that does not answer.
var nowhere = kube.Config{Endpoint: "http://127.0.0.1:1"}

// testRegistry is a registry that is empty again at the end of the test.
func testRegistry(t testing.TB) *watch.Registry {
	t.Helper()
	r := watch.NewRegistry()
	t.Cleanup(func() { r.Sweep(nil) })
	return r
}

func mustAcquire(t *testing.T, r *watch.Registry, cfg kube.Config, h *watch.Holder) *kube.Watcher {
	t.Helper()
	w, err := r.Acquire(cfg, kube.Options{}, watch.Use{Holder: h})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// watcherOf is the watcher that runs for a source.
func watcherOf(t *testing.T, r *watch.Registry, cfg kube.Config) *kube.Watcher {
	t.Helper()
	h := new(watch.Holder)
	defer r.Release(cfg, watch.Use{Holder: h})
	return mustAcquire(t, r, cfg, h)
}

// wantRunning fails the test unless the registry has these watchers, each with
// this number of holders, and no other.
func wantRunning(t *testing.T, r *watch.Registry, want map[kube.Config]int) {
	t.Helper()
	if got := r.Holders(); !maps.Equal(got, want) {
		t.Errorf("holders are %v, want %v", got, want)
	}
}
