package watch

import (
	"bytes"
	"log"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"
	_ "github.com/coredns/coredns/plugin/bind"
	clog "github.com/coredns/coredns/plugin/pkg/log"

	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// attached is the registry to which the tests' directive attaches server blocks.
var attached *Registry

// The directive kubernetes, which CoreDNS knows, here takes the path of the manifests, or the URL of
// an API server and the path of a state.
func init() {
	plugin.Register("kubernetes", func(c *caddy.Controller) error {
		c.Next()
		args := c.RemainingArgs()
		source, kept := kube.Config{Manifests: args[0]}, State{}
		if len(args) == 2 {
			source, kept = kube.Config{Endpoint: args[0]}, State{Path: args[1], MaxAge: time.Hour}
		}
		attached.Attach(c, Need{
			Directive: "kubernetes",
			Source:    func() kube.Config { return source },
			Options:   kube.Options{Log: clog.NewWithPlugin("kubernetes")},
			Timeout:   DefaultTimeout,
			State:     kept,
			Use:       func(*kube.Watcher) {},
		})
		return nil
	})
}

// useRegistry gives the directive a new registry.
func useRegistry(t testing.TB) *Registry {
	t.Helper()
	attached = testRegistry(t)
	return attached
}

// captureLog collects the process's log.
func captureLog(t testing.TB) *bytes.Buffer {
	t.Helper()
	b := new(bytes.Buffer)
	log.SetOutput(b)
	t.Cleanup(func() { log.SetOutput(os.Stderr) })
	return b
}

// A start warns and goes on. A reload fails if another instance has data.
func TestWaitForSync(t *testing.T) {
	for _, tc := range []struct {
		title   string
		source  kube.Config
		other   bool // another instance has data
		timeout time.Duration
		err     string
		logs    []string
	}{
		{title: "start with data", source: manifest(t), timeout: time.Hour},
		{title: "start without data", source: nowhere, timeout: time.Millisecond, logs: []string{"waiting for", "unsynced"}},
		{title: "reload with data", source: manifest(t), other: true, timeout: time.Hour},
		{title: "reload without data", source: nowhere, other: true, timeout: time.Millisecond, err: "within 1ms", logs: []string{"waiting for"}},
	} {
		t.Run(tc.title, func(t *testing.T) {
			r, logged, i := testRegistry(t), captureLog(t), new(instance)
			if tc.other {
				mustAcquire(t, r, manifest(t), new(instance))
			}
			err := r.waitForSync(mustAcquire(t, r, tc.source, i), nil, i, tc.timeout, clog.NewWithPlugin("kubernetes"))
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Errorf("error %v, want %q", err, tc.err)
			}
			wantLines(t, logged.String(), tc.logs)
		})
	}
}

// A reload that waits while the process ends does not start without data: it would answer in the
// place of the instance that ends.
func TestReloadWhileTheProcessEnds(t *testing.T) {
	r, logged, i := testRegistry(t), captureLog(t), new(instance)
	mustAcquire(t, r, manifest(t), new(instance))
	log := waitLogger{clog.NewWithPlugin("kubernetes"), func() { r.sweep(map[*instance]bool{i: true}) }}
	if err := r.waitForSync(mustAcquire(t, r, nowhere, i), nil, i, time.Millisecond, log); err == nil {
		t.Error("started")
	}
	wantLines(t, logged.String(), nil)
}

// waitLogger calls waits when the log says that a start waits.
type waitLogger struct {
	kube.Logger
	waits func()
}

func (l waitLogger) Infof(string, ...any) { l.waits() }

// D13: a start with a timeout of zero does not wait.
func TestD13StartupTimeoutZero(t *testing.T) {
	r, logged, i := testRegistry(t), captureLog(t), new(instance)
	if err := r.waitForSync(mustAcquire(t, r, nowhere, i), nil, i, 0, clog.NewWithPlugin("kubernetes")); err != nil {
		t.Error(err)
	}
	wantLines(t, logged.String(), []string{"unsynced"})
}

// wantLines fails the test unless there is one line for each text, in this order.
func wantLines(t *testing.T, logged string, want []string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(logged), "\n")
	if logged == "" {
		lines = nil
	}
	if len(lines) != len(want) {
		t.Fatalf("logged %q, want %q", lines, want)
	}
	for i := range want {
		if !strings.Contains(lines[i], want[i]) {
			t.Errorf("logged %q, want %q", lines[i], want[i])
		}
	}
}

// A reload waits even where a start does not: no watcher has its data at once, so the data
// could never change.
func TestReloadWaitsWhereStartDoesNot(t *testing.T) {
	r, logged := testRegistry(t), captureLog(t)
	mustAcquire(t, r, manifest(t), new(instance))
	synctest.Test(t, func(t *testing.T) {
		w, err := kube.New(nowhere, kube.Options{}) // never run
		if err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		err = r.waitForSync(w, nil, new(instance), 0, clog.NewWithPlugin("kubernetes"))
		if waited := time.Since(started); err == nil || waited != DefaultTimeout {
			t.Errorf("error %v after %s", err, waited)
		}
	})
	wantLines(t, logged.String(), []string{"waiting for"})
}

// corefileOf returns a Corefile with one server block for each source, on one listener.
func corefileOf(sources ...kube.Config) caddy.Input {
	var b strings.Builder
	for i, source := range sources {
		zone := string(rune('a'+i)) + ".test"
		b.WriteString(zone + ":0 {\n bind 127.0.0.1\n kubernetes " + source.Manifests + "\n}\n")
	}
	return coredns.Input(b.String())
}

// startInstance starts a server that ends with the test.
func startInstance(t testing.TB, corefile caddy.Input) *caddy.Instance {
	t.Helper()
	captureLog(t)
	server, err := coredns.Start(corefile)
	if err != nil {
		t.Fatal(err)
	}
	i := server.Instance()
	t.Cleanup(func() { stopInstance(i) })
	return i
}

func stopInstance(i *caddy.Instance) {
	i.ShutdownCallbacks()
	_ = i.Stop() // never fails
}

func TestBlocksShare(t *testing.T) {
	r, one, two := useRegistry(t), manifest(t), manifest(t)
	i := startInstance(t, corefileOf(one, one, two))
	wantRunning(t, r, map[kube.Config]int{one: 1, two: 1})
	if n := len(liveInstances()); n != 1 {
		t.Errorf("%d instances live, want 1", n)
	}
	stopInstance(i)
	wantRunning(t, r, nil)
}

func TestReloadShares(t *testing.T) {
	r, one, two := useRegistry(t), manifest(t), manifest(t)
	i := startInstance(t, corefileOf(one))
	before := watcherOf(t, r, one)
	for _, tc := range []struct {
		corefile caddy.Input
		want     map[kube.Config]int
	}{
		{corefileOf(one), map[kube.Config]int{one: 1}},
		{corefileOf(one, two), map[kube.Config]int{one: 1, two: 1}},
		{corefileOf(two, one), map[kube.Config]int{one: 1, two: 1}},
		{corefileOf(one, one), map[kube.Config]int{one: 1}},
	} {
		next, err := i.Restart(tc.corefile)
		if err != nil {
			t.Fatal(err)
		}
		i = next
		wantRunning(t, r, tc.want)
	}
	if watcherOf(t, r, one) != before {
		t.Error("the watcher that was there all the time is another one")
	}
	stopInstance(i)
	wantRunning(t, r, nil)
}

// A failed reload ends the watchers that it started and keeps the shared ones.
func TestFailedReloadLeavesNothing(t *testing.T) {
	r, one, two := useRegistry(t), manifest(t), manifest(t)
	i := startInstance(t, corefileOf(one))
	before := watcherOf(t, r, one)
	if _, err := i.Restart(corefileOf(one, two, kube.Config{Manifests: "/nonexistent"})); err == nil {
		t.Fatal("no error")
	}
	wantRunning(t, r, map[kube.Config]int{one: 1})
	if watcherOf(t, r, one) != before {
		t.Error("the watcher is another one")
	}
}

// Nobody is called when a start fails. Its watchers end with the next start.
func TestFailedStartIsSwept(t *testing.T) {
	r, one, two := useRegistry(t), manifest(t), manifest(t)
	captureLog(t)
	if _, err := caddy.Start(corefileOf(one, kube.Config{Manifests: "/nonexistent"})); err == nil {
		t.Fatal("no error")
	}
	startInstance(t, corefileOf(two))
	wantRunning(t, r, map[kube.Config]int{two: 1})
}

// Nothing begins before the sockets are open, or in an instance whose start fails.
func TestBeginsOnceItServes(t *testing.T) {
	useRegistry(t)
	i := startInstance(t, corefileOf(manifest(t)))
	i.StorageMu.RLock()
	begins, _ := i.Storage[servingKey{}].([]func())
	i.StorageMu.RUnlock()
	if len(begins) != 1 {
		t.Errorf("%d functions wait for the start, want 1 for each server block", len(begins))
	}
}

// watcherOf returns the watcher that runs for a source.
func watcherOf(t *testing.T, r *Registry, cfg kube.Config) *kube.Watcher {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running[cfg].watcher
}
