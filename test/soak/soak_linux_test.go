//go:build soak

package soak

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/kit/metrics"
	"github.com/clusterdns/clusterdns/test/netlab"
)

// listeners returns the addresses to ask: those of the listener on all addresses, and of
// the other listener.
func listeners() []string {
	return []string{
		fmt.Sprintf("%s:%d", serverAddr, wildcardPort), fmt.Sprintf("127.0.0.1:%d", wildcardPort),
		fmt.Sprintf("[%s]:%d", otherAddr, wildcardPort), fmt.Sprintf("%s:%d", serverAddr, boundPort),
	}
}

func TestSoak(t *testing.T) {
	w := startWorld(t)
	s := startServer(t, w)
	settle(t, w.objects)
	v := newTally()
	secondaries := startSecondaries(t, v)
	defer v.print(t) // even if the answers do not settle
	refused := readRefused(t)
	ctx, cancel := context.WithTimeout(t.Context(), *duration)
	defer cancel()
	samples := goThrough(ctx, t, &soak{w, s, v, secondaries})
	settle(t, w.objects)
	settleSecondaries(t, secondaries)
	v.report(t, refused)
	judgeGrowth(t, samples)
}

// soak is what runs at once.
type soak struct {
	world       *world
	server      *reloader
	tally       *tally
	secondaries []*secondary
}

// goThrough runs everything at once until the context ends, or until something fails.
func goThrough(ctx context.Context, t *testing.T, s *soak) (samples []sample) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	run := func(what string, do func() (int, error)) {
		all.Go(func() {
			n, err := do()
			if err != nil {
				t.Errorf("%s: %v", what, err)
				cancel()
			} else if n > 0 {
				t.Logf("%d %s", n, what)
			}
		})
	}
	for i := range writers {
		run("changes", func() (int, error) { return s.world.churn(ctx, i) })
	}
	run("reloads", func() (int, error) { return s.server.reload(ctx) })
	run("stalls of the API server", func() (int, error) { return s.world.stall(ctx) })
	weather := &weather{name: noFlood}
	run("floods", func() (int, error) { return weather.flood(ctx) })
	run("samples", func() (int, error) {
		samples = watch(ctx, s.server.process.ID(), s.progress(t))
		return len(samples), nil
	})
	for _, ask := range s.askers(ctx, weather) {
		run("client", func() (int, error) { return 0, ask() })
	}
	all.Wait()
	return samples
}

// askers returns the functions that send packets to each of the listeners.
func (s *soak) askers(ctx context.Context, weather *weather) (all []func() error) {
	w, v := s.world, s.tally
	all = append(all, func() error { return followAll(ctx, s.secondaries) })
	for _, p := range politeClients(w, weather, v) {
		all = append(all, func() error { return p.run(ctx) })
	}
	for _, address := range listeners() {
		for i := range udpClients + tcpClients {
			c := &client{address: address, objects: w.objects, tally: v}
			step := c.udp
			if i >= udpClients {
				step = c.tcp
			}
			all = append(all, func() error { return c.run(ctx, step) })
		}
		for _, silent := range []bool{true, false} {
			i := &intruder{address: address, names: w.names, silent: silent, tally: v}
			all = append(all, func() error { return i.run(ctx) })
		}
	}
	return all
}

// settle waits until every answer is the last one.
func settle(t *testing.T, objects []*object) {
	t.Helper()
	for _, address := range listeners() {
		for _, o := range objects {
			for _, q := range o.questions {
				netlab.Eventually(t, func(ctx context.Context) error { return checkLast(ctx, address, o, q) })
			}
		}
	}
}

func checkLast(ctx context.Context, address string, o *object, question string) error {
	m, err := message(question)
	if err != nil {
		return err
	}
	r, err := exchange(ctx, m, address)
	if err != nil {
		return err
	}
	if got, want := text(r), o.last(question); got != want {
		return fmt.Errorf("%s of %s: %s, want %s", question, address, got, want)
	}
	return nil
}

// report prints what the clients have seen, and fails the test if that was wrong.
func (v *tally) report(t *testing.T, refusedBefore int) {
	t.Helper()
	served, err := metrics.Fetch(t.Context(), metricsAddr)
	if err != nil {
		t.Fatal(err)
	}
	dropped, refused := int(outcome(served, "dropped")), readRefused(t)-refusedBefore
	t.Logf("%d questions over UDP, %d without an answer, %d over TCP with %d new connections; %d wrong answers",
		v.overUDP, v.lost, v.overTCP, v.redials, v.failures)
	t.Logf("fast path: %.0f answered, %.0f handed over, %.0f missed, %d dropped; %d refused by full sockets",
		outcome(served, "answered"), outcome(served, "handed_over"), outcome(served, "missed"), dropped, refused)
	if v.overUDP == 0 || v.overTCP == 0 || outcome(served, "answered") == 0 || outcome(served, "handed_over") == 0 {
		t.Error("a path has had no questions")
	}
	if enabled := sum(served, `^coredns_clusterdns_fastpath_enabled\{.*\} (.*)$`); enabled != 2 {
		t.Errorf("the fast path is on at %.0f listeners, want 2", enabled)
	}
	if v.lost > dropped+refused {
		t.Errorf("%d questions over UDP have no answer, want at most the %d that were dropped", v.lost, dropped+refused)
	}
	if v.failures > 0 {
		t.Errorf("%d answers are wrong", v.failures)
	}
	v.reportHostile(t, served)
	v.reportPolite(t)
	v.reportTransfers(t)
}

// progress returns a function that prints, each minute, how things stand.
func (s *soak) progress(t *testing.T) func(sample) {
	next := time.Duration(0)
	return func(now sample) {
		if now.at < next {
			return
		}
		next = now.at + time.Minute
		v := s.tally
		v.mu.Lock()
		defer v.mu.Unlock()
		t.Logf("after %s: %.0f MB, %.0f goroutines, %.0f sockets; %d questions over UDP, %d without an answer, %d over TCP, %d wrong answers",
			now.at.Round(time.Second), now.megabytes, now.goroutines, now.sockets, v.overUDP, v.lost, v.overTCP, v.failures)
	}
}

// print prints what was wrong or missing, as far as it was recorded.
func (v *tally) print(t *testing.T) {
	for _, line := range slices.Concat(v.wrong, v.missing) {
		t.Log(line)
	}
}
