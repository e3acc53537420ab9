package watch

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/plugin/internal/state"
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
