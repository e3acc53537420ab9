package watch

import (
	"fmt"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coredns/caddy"

	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/plugin/internal/state"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// ago makes a state that was true some time ago.
func ago(age time.Duration) func(*state.Header) {
	return func(h *state.Header) { h.Heard = time.Now().Add(-age).Unix() }
}

// A server that was killed moments ago is followed by one that answers from its file, whatever the
// API server takes.
func TestRestoresFreshStateAtOnce(t *testing.T) {
	server := kubetest.Hanging(t, func(http.ResponseWriter) {})
	r := keeping(t, time.Hour, time.Hour)
	r.times.fresh = keeperTimes.fresh
	i := new(instance)
	k := mustKeep(t, r, kube.Config{Endpoint: server.URL}, writeState(t, ago(90*time.Second)), i)
	if err := r.waitForSync(k.Watcher, k.keeper, i, time.Minute, k.log); err != nil || k.snapshot().RestoredAsOf() == 0 {
		t.Errorf("%v, restored as of %d", err, k.snapshot().RestoredAsOf())
	}
}

// asked returns an API server that answers nothing, and the number of requests to it so far.
func asked(t *testing.T) (kube.Config, *atomic.Int32) {
	requests := new(atomic.Int32)
	server := kubetest.Hanging(t, func(http.ResponseWriter) { requests.Add(1) })
	return kube.Config{Endpoint: server.URL}, requests
}

// keepHeld keeps the state of a watcher whose start holds it.
func keepHeld(t *testing.T, r *Registry, cfg kube.Config, path string) (k *kept, begin func()) {
	t.Helper()
	k = &kept{log: new(kubetest.Recorder), use: use{new(instance), ""}}
	held, begin := r.hold()
	var err error
	if k.Watcher, err = r.acquire(cfg, kube.Options{Log: k.log, Begin: held}, k.use); err != nil {
		t.Fatal(err)
	}
	if k.keeper, err = r.keep(cfg, State{Path: path, MaxAge: time.Hour}, k.log, k.use, begin); err != nil {
		t.Fatal(err)
	}
	return k, begin
}

// Until the server serves a fresh file, it asks its API server for nothing: the lists take the
// processor that the start needs.
func TestFreshStateBeforeTheLists(t *testing.T) {
	r := keeping(t, time.Hour, time.Hour)
	r.times.fresh = keeperTimes.fresh
	cfg, requests := asked(t)
	k, begin := keepHeld(t, r, cfg, writeState(t, ago(0)))
	await.True(t, time.Minute, "a restored state", func() bool { return k.snapshot().RestoredAsOf() != 0 })
	if n := requests.Load(); n != 0 {
		t.Errorf("%d requests", n)
	}
	begin()
	await.True(t, time.Minute, "a request", func() bool { return requests.Load() > 0 })
}

// Where no fresh file is served, the API server is asked at once, and in any case before long.
func TestListsAreNotHeld(t *testing.T) {
	for _, tc := range []struct {
		title, path string
		grace       time.Duration
	}{
		{"no file", filepath.Join(t.TempDir(), "none"), time.Hour},
		{"an old file", writeState(t, ago(keeperTimes.fresh+time.Minute)), time.Hour},
		{"a file of others", writeState(t, func(h *state.Header) { h.Heard, h.Watched = time.Now().Unix(), "more" }), time.Hour},
		{"a start that does not end", writeState(t, ago(0)), time.Millisecond},
	} {
		t.Run(tc.title, func(t *testing.T) {
			r := keeping(t, tc.grace, time.Hour)
			r.times.fresh = keeperTimes.fresh
			cfg, requests := asked(t)
			keepHeld(t, r, cfg, tc.path)
			await.True(t, time.Minute, "a request", func() bool { return requests.Load() > 0 })
		})
	}
}

// keeps returns a Corefile with a state.
func keeps(cfg kube.Config, path string) caddy.Input {
	return coredns.Input(fmt.Sprintf(".:0 {\n bind 127.0.0.1\n kubernetes %s %s\n}", cfg.Endpoint, path))
}

// A server that serves a fresh file asks its API server then.
func TestListsBeginOnceItServes(t *testing.T) {
	r := useRegistry(t)
	r.times = times{grace: time.Hour, fresh: keeperTimes.fresh, pause: time.Hour, renew: time.Hour, end: time.Hour}
	cfg, requests := asked(t)
	startInstance(t, keeps(cfg, writeState(t, ago(0))))
	await.True(t, time.Minute, "a request", func() bool { return requests.Load() > 0 })
}

// A reload to another watch waits for its data, and so must not hold it.
func TestReloadHoldsNothing(t *testing.T) {
	r := useRegistry(t)
	r.times = times{grace: time.Hour, fresh: keeperTimes.fresh, pause: time.Hour, renew: time.Hour, end: time.Hour}
	i := startInstance(t, corefileOf(manifest(t)))
	cfg, requests := asked(t)
	corefile, reloaded := keeps(cfg, writeState(t, ago(0))), make(chan struct{})
	go func() {
		defer close(reloaded)
		_, _ = i.Restart(corefile) // it fails for lack of data
	}()
	await.True(t, time.Minute, "a request", func() bool { return requests.Load() > 0 })
	<-reloaded
}

// A start waits for the API server where the file may be old, or has not all names.
func TestHowLongAStartWaits(t *testing.T) {
	publishes := kube.Config{Endpoint: nowhere.Endpoint, Published: publish.Settings{Kinds: publish.Services}}
	withNames := func(h *state.Header) { h.Heard, h.Published = time.Now().Unix(), published(publishes.Published) }
	for _, tc := range []struct {
		title string
		cfg   kube.Config
		path  string
		want  time.Duration
	}{
		{"fresh", nowhere, writeState(t, ago(0)), 0},
		{"as old as may be", nowhere, writeState(t, ago(keeperTimes.fresh-time.Minute)), 0},
		{"old", nowhere, writeState(t, ago(keeperTimes.fresh+time.Minute)), time.Hour},
		{"from the future", nowhere, writeState(t, ago(-time.Minute)), time.Hour},
		{"none", nowhere, filepath.Join(t.TempDir(), "none"), time.Hour},
		{"no file", nowhere, t.TempDir(), time.Hour},
		{"without published names", publishes, writeState(t, ago(0)), time.Hour},
		{"with published names", publishes, writeState(t, withNames), 0},
	} {
		t.Run(tc.title, func(t *testing.T) {
			r := keeping(t, time.Hour, time.Hour)
			r.times.fresh = keeperTimes.fresh
			k := mustKeep(t, r, tc.cfg, tc.path, new(instance))
			if got, _ := k.wait(time.Now()); got != tc.want {
				t.Errorf("waits %s, want %s", got, tc.want)
			}
		})
	}
}

func TestIsFresh(t *testing.T) {
	const boot, most = 1000, time.Minute
	for _, tc := range []struct {
		title      string
		heard, now int64
		want       bool
	}{
		{"of this second", 2000, 2000, true},
		{"just fresh", 2000, 2060, true},
		{"too old", 2000, 2061, false},
		{"from the future", 2001, 2000, false},
		{"of the second of the start", 1000, 1010, true},
		{"before the start", 999, 1010, false},
	} {
		if got := isFresh(tc.heard, time.Unix(tc.now, 0), boot, most); got != tc.want {
			t.Errorf("%s: %v", tc.title, got)
		}
	}
}

// The machine has started before this test, and not long ago in the eyes of the epoch.
func TestBootTime(t *testing.T) {
	if boot, now := bootTime(), time.Now().Unix(); boot <= 0 || boot > now {
		t.Errorf("the machine has started at %d, and it is %d", boot, now)
	}
}
