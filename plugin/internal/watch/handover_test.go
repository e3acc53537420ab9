package watch

import (
	"fmt"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/await"
)

// TestHandOver uses watchers of a real API server, because manifests have no versions.
func TestHandOver(t *testing.T) {
	c := controlplane.StartTest(t, controlplane.Options{})
	path, err := c.Kubeconfig(c.Admin())
	if err != nil {
		t.Fatal(err)
	}
	cfg := kube.Config{Kubeconfig: path}
	t.Run("Before", func(t *testing.T) { testBefore(t, cfg) })
	next := withPods(cfg)
	anew := transition{before: []kube.Config{cfg}, after: []kube.Config{next}}
	moved := transition{before: []kube.Config{cfg, next}, after: []kube.Config{next, next}}
	t.Run("Resume", func(t *testing.T) { testResume(t, c, cfg, anew, "1") })
	t.Run("Moved", func(t *testing.T) { testResume(t, c, cfg, moved, "2") })
	t.Run("MaxPause", func(t *testing.T) { testMaxPause(t, c, cfg, anew) })
}

// transition has the sources of the server blocks of two instances.
type transition struct{ before, after []kube.Config }

// withPods returns another watch of the same API server.
func withPods(cfg kube.Config) kube.Config {
	cfg.Pods = true
	return cfg
}

func acquireSynced(t *testing.T, r *Registry, cfg kube.Config, u use) *kube.Watcher {
	t.Helper()
	w := mustAcquireFor(t, r, cfg, u.instance, u.block)
	await.True(t, time.Minute, "it has its data", func() bool { return w.Store().Load().Synced() })
	return w
}

// A watcher that a new instance begins to use is aligned with those that it replaces.
func testBefore(t *testing.T, cfg kube.Config) {
	type usage struct {
		cfg   kube.Config
		by    *instance
		block string
	}
	before, now, next := new(instance), new(instance), withPods(cfg)
	third := next
	third.PodNames = true
	for _, tc := range []struct {
		title string
		uses  []usage
		want  int
	}{
		{"a reload", []usage{{cfg, before, "a"}, {next, now, "a"}}, 1},
		{"a reload of two watches", []usage{{cfg, before, "a"}, {third, before, "b"}, {next, now, "a"}}, 2},
		{"a reload that goes on with the old one too", []usage{{cfg, before, "a"}, {cfg, now, "a"}, {next, now, "b"}}, 1},
		{"a reload to two watches", []usage{{cfg, before, "a"}, {third, now, "a"}, {next, now, "b"}}, 2},
		{"a reload to what is served already", []usage{{cfg, before, "a"}, {next, before, "b"}, {next, now, "b"}}, 0},
		{"a reload that moves a block to what is served already", []usage{{cfg, before, "a"}, {next, before, "b"}, {next, now, "b"}, {next, now, "a"}}, 1},
		{"a reload that moves a block to what is served already, whose own is gone", []usage{{cfg, before, "a"}, {next, before, "b"}, {next, now, "a"}}, 1},
		{"the second block that is moved", []usage{{cfg, before, "a"}, {cfg, before, "b"}, {next, before, "c"}, {next, now, "c"}, {next, now, "a"}, {next, now, "b"}}, 0},
		{"the second block of a reload", []usage{{cfg, before, "a"}, {next, now, "a"}, {next, now, "b"}}, 0},
		{"a reload from manifests", []usage{{manifest(t), before, "a"}, {next, now, "a"}}, 0},
		{"a start", []usage{{cfg, now, "a"}, {next, now, "b"}}, 0},
	} {
		t.Run(tc.title, func(t *testing.T) {
			r := testRegistry(t)
			var w *kube.Watcher
			for _, of := range tc.uses {
				w = acquireSynced(t, r, of.cfg, use{of.by, of.block})
			}
			last := tc.uses[len(tc.uses)-1]
			if got := len(r.before(next, w, use{now, last.block})); got != tc.want {
				t.Errorf("aligned with %d watchers, want %d", got, tc.want)
			}
		})
	}
	r := testRegistry(t)
	mustAcquire(t, r, nowhere, before)
	if got := r.before(withPods(nowhere), mustAcquire(t, r, withPods(nowhere), now), use{instance: now}); len(got) > 0 {
		t.Error("aligned with a watcher that has no data")
	}
}

// beginReload aligns the watchers of a new instance with those of the previous one, without
// ending the reload. It returns the watchers of both configurations, the second of which
// has Pods.
func beginReload(t *testing.T, cfg kube.Config, maxPause time.Duration, tr transition) (*Registry, []*kube.Watcher) {
	t.Helper()
	r, old, now := testRegistry(t), new(instance), new(instance)
	r.maxPause = maxPause
	for i, cfg := range tr.before {
		acquireSynced(t, r, cfg, use{old, fmt.Sprint(i)})
	}
	for i, cfg := range tr.after {
		u := use{now, fmt.Sprint(i)}
		r.align(cfg, acquireSynced(t, r, cfg, u), u)
	}
	return r, []*kube.Watcher{r.running[cfg].watcher, r.running[withPods(cfg)].watcher}
}

// A Service that is added during a reload is not visible in any watcher before the end.
func testResume(t *testing.T, c *controlplane.Cluster, cfg kube.Config, tr transition, n string) {
	r, both := beginReload(t, cfg, time.Hour, tr)
	before := countsOf(both[1])
	apply(t, c, "{apiVersion: v1, kind: Service, metadata: {name: paused-"+n+"}, spec: {ports: [{port: 80}]}}")
	// Pods are not paused, because the old watcher has none. Once this Pod is visible, all
	// earlier changes have arrived.
	apply(t, c, "{apiVersion: v1, kind: Pod, metadata: {name: last-"+n+"}, spec: {containers: [{name: a, image: a}]}, status: {podIPs: [{ip: 10.9.9."+n+"}]}}")
	await.True(t, time.Minute, "the last event is shown", func() bool { return countsOf(both[1]).PodAddresses > before.PodAddresses })
	for _, w := range both {
		if n := countsOf(w).Services; n != before.Services {
			t.Errorf("%d Services are shown during the reload, want %d", n, before.Services)
		}
	}
	r.resume()
	for _, w := range both {
		await.True(t, time.Minute, "it goes on", func() bool { return countsOf(w).Services == before.Services+1 })
	}
}

// If the end of a reload is never reported, the watchers resume by themselves.
func testMaxPause(t *testing.T, c *controlplane.Cluster, cfg kube.Config, tr transition) {
	_, both := beginReload(t, cfg, time.Millisecond, tr)
	before := countsOf(both[1])
	apply(t, c, "{apiVersion: v1, kind: Service, metadata: {name: late}, spec: {ports: [{port: 80}]}}")
	for _, w := range both {
		await.True(t, time.Minute, "it goes on", func() bool { return countsOf(w).Services == before.Services+1 })
	}
}

func apply(t *testing.T, c *controlplane.Cluster, manifest string) {
	t.Helper()
	if err := c.Apply(t.Context(), []byte(manifest)); err != nil {
		t.Fatal(err)
	}
}

func countsOf(w *kube.Watcher) cluster.Counts { return w.Store().Load().Counts() }
