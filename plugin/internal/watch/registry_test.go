package watch

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube"
)

// manifest returns a source that needs no API server: one Namespace in a file.
func manifest(t *testing.T) kube.Config {
	t.Helper()
	path := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(path, []byte("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	return kube.Config{Manifests: path}
}

// nowhere is the source of an API server that does not answer.
var nowhere = kube.Config{Endpoint: "http://127.0.0.1:1"}

// testRegistry returns a registry that is empty again at the end of the test.
func testRegistry(t testing.TB) *Registry {
	t.Helper()
	r := NewRegistry()
	t.Cleanup(func() { r.sweep(nil) })
	return r
}

func mustAcquire(t *testing.T, r *Registry, cfg kube.Config, i *instance) *kube.Watcher {
	t.Helper()
	return mustAcquireFor(t, r, cfg, i, "")
}

func mustAcquireFor(t *testing.T, r *Registry, cfg kube.Config, i *instance, block string) *kube.Watcher {
	t.Helper()
	w, err := r.acquire(cfg, kube.Options{}, use{i, block})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// wantRunning fails the test unless the registry has exactly these watchers, each with this
// number of instances.
func wantRunning(t *testing.T, r *Registry, want map[kube.Config]int) {
	t.Helper()
	if got := instancesOf(r); !maps.Equal(got, want) {
		t.Errorf("the watchers and the number of their instances are %v, want %v", got, want)
	}
}

// instancesOf returns how many instances use each watcher.
func instancesOf(r *Registry) map[kube.Config]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	counts := map[kube.Config]int{}
	for cfg, run := range r.running {
		instances := map[*instance]bool{}
		for u := range run.uses {
			instances[u.instance] = true
		}
		counts[cfg] = len(instances)
	}
	return counts
}

// stopped returns a function that reports whether a watcher has ended. It must be called
// before the watcher ends.
func stopped(r *Registry, cfg kube.Config) func() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	done := r.running[cfg].done
	return func() bool {
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
}

func TestAcquireShares(t *testing.T) {
	r, cfg, a, b := testRegistry(t), manifest(t), new(instance), new(instance)
	if mustAcquire(t, r, cfg, a) != mustAcquire(t, r, cfg, b) {
		t.Error("two watchers for the same objects")
	}
	ended := stopped(r, cfg)
	wantRunning(t, r, map[kube.Config]int{cfg: 2})
	r.release(cfg, use{instance: a})
	wantRunning(t, r, map[kube.Config]int{cfg: 1})
	if ended() {
		t.Error("the watcher ended while an instance used it")
	}
	r.release(cfg, use{instance: b})
	wantRunning(t, r, nil)
	if !ended() {
		t.Error("the watcher runs, and nobody uses it")
	}
}

// An instance uses a watcher once for each of its server blocks.
func TestAcquireCounts(t *testing.T) {
	r, cfg, h := testRegistry(t), manifest(t), new(instance)
	mustAcquire(t, r, cfg, h)
	mustAcquire(t, r, cfg, h)
	r.release(cfg, use{instance: h})
	wantRunning(t, r, map[kube.Config]int{cfg: 1})
	r.release(cfg, use{instance: h})
	wantRunning(t, r, nil)
}

func TestAcquireTellsSourcesApart(t *testing.T) {
	r, one, h := testRegistry(t), manifest(t), new(instance)
	two := one
	two.Pods = true
	if mustAcquire(t, r, one, h) == mustAcquire(t, r, two, h) {
		t.Error("one watcher for different objects")
	}
	wantRunning(t, r, map[kube.Config]int{one: 1, two: 1})
}

// A watcher runs only once, so an instance after its end gets another.
func TestAcquireAfterRelease(t *testing.T) {
	r, cfg, h := testRegistry(t), manifest(t), new(instance)
	first := mustAcquire(t, r, cfg, h)
	r.release(cfg, use{instance: h})
	if mustAcquire(t, r, cfg, h) == first {
		t.Error("got a watcher that has ended")
	}
}

func TestAcquireFails(t *testing.T) {
	r := testRegistry(t)
	for _, cfg := range []kube.Config{{Manifests: "/nonexistent"}, {Kubeconfig: "/nonexistent"}} {
		if _, err := r.acquire(cfg, kube.Options{}, use{instance: new(instance)}); err == nil {
			t.Errorf("%+v: no error", cfg)
		}
	}
	wantRunning(t, r, nil)
}

// An instance may release more often than it acquired.
func TestReleaseOfWhatIsNotHeld(t *testing.T) {
	r, cfg, h := testRegistry(t), manifest(t), new(instance)
	r.release(cfg, use{instance: h})
	mustAcquire(t, r, cfg, h)
	r.release(cfg, use{instance: new(instance)})
	r.release(nowhere, use{instance: h})
	wantRunning(t, r, map[kube.Config]int{cfg: 1})
}

func TestSweep(t *testing.T) {
	r, shared, left, a, b := testRegistry(t), manifest(t), manifest(t), new(instance), new(instance)
	mustAcquire(t, r, shared, a)
	mustAcquire(t, r, shared, b)
	mustAcquire(t, r, left, b)
	ended := stopped(r, left)
	r.sweep(map[*instance]bool{a: true, b: true})
	wantRunning(t, r, map[kube.Config]int{shared: 2, left: 1})
	r.sweep(map[*instance]bool{a: true})
	wantRunning(t, r, map[kube.Config]int{shared: 1})
	if !ended() {
		t.Error("the watcher of an instance that no longer lives runs")
	}
	r.release(shared, use{instance: b}) // the end of an instance may be reported after it was swept
	wantRunning(t, r, map[kube.Config]int{shared: 1})
}

// Only the data of another instance can continue to be served.
func TestSynced(t *testing.T) {
	r, cfg, a, b := testRegistry(t), manifest(t), new(instance), new(instance)
	mustAcquire(t, r, nowhere, b)
	mustAcquire(t, r, cfg, a)
	for _, tc := range []struct {
		title string
		asks  *instance
		want  bool
	}{
		{"the instance with data", a, false},
		{"the instance without", b, true},
		{"any other", new(instance), true},
	} {
		if got := r.syncedBeside(tc.asks); got != tc.want {
			t.Errorf("%s: synced %v, want %v", tc.title, got, tc.want)
		}
	}
}

// A scrape of the metrics does not wait for a watcher that ends slowly.
func TestScrapeWhileAWatcherEnds(t *testing.T) {
	r, u := testRegistry(t), use{instance: new(instance)}
	stopping, ended := make(chan struct{}), make(chan struct{})
	r.running[nowhere] = &running{stop: func() { close(stopping) }, done: ended, ended: func() {}, uses: map[use]int{u: 1}}
	released := make(chan struct{})
	go func() {
		r.release(nowhere, u)
		close(released)
	}()
	<-stopping
	scraped := make(chan struct{})
	go func() {
		r.Snapshots()
		close(scraped)
	}()
	select {
	case <-scraped:
	case <-time.After(20 * time.Second):
		t.Error("the scrape waits for the end")
	}
	select {
	case <-released:
		t.Error("release did not wait for the end")
	default:
	}
	close(ended)
	<-released
}

// P1: clients see no serial go back when a reload moves a server block to another watcher,
// even of another source.
func TestP1ReloadKeepsTheSerial(t *testing.T) {
	r, before, now := testRegistry(t), new(instance), new(instance)
	was, is := manifest(t), manifest(t)
	old := mustAcquireFor(t, r, was, before, "a")
	next := mustAcquireFor(t, r, is, now, "a")
	for next.Store().Load().Serial() >= old.Store().Load().Serial() {
		<-old.Restamp()
	}
	r.succeed(is, next, use{now, "a"})
	if got, want := next.Store().Load().Serial(), old.Store().Load().Serial(); got < want {
		t.Errorf("serial %d after %d", got, want)
	}
	held := old.Restamp()
	r.resume()
	<-held
}
