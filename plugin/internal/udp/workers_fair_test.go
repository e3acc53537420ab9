package udp

import (
	"context"
	"net/netip"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/fair"
)

var (
	flooder = netip.MustParseAddrPort("10.0.0.1:5353")
	polite  = netip.MustParseAddrPort("10.0.0.2:5353")
)

func submitFrom(t *testing.T, w *workers, s *Backend, open *atomic.Int64, client netip.AddrPort, name string) {
	t.Helper()
	packet, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
	if err != nil {
		t.Fatal(err)
	}
	w.submit(w.newTask(s, &writer{client: client}, packet, open))
}

// While all workers are busy, a client that floods them loses its own questions, and
// another client is served after one of them.
func TestB7PendingQuestionsHaveTheirTurns(t *testing.T) {
	w := newWorkers()
	w.limit = 1
	h, meter := &blocker{gate: make(chan struct{})}, new(tally)
	s := &Backend{Handler: h, Meter: meter}
	var open atomic.Int64
	submitFrom(t, w, s, &open, flooder, "busy.")
	eventually(t, "the worker is busy", func() bool { return h.count() == 1 })
	const more, questions = 500, 3
	for range maxPending {
		submitFrom(t, w, s, &open, flooder, "flood.")
	}
	for range questions {
		submitFrom(t, w, s, &open, polite, "polite.")
	}
	for range more {
		submitFrom(t, w, s, &open, flooder, "flood.")
	}
	if n := meter.dropped.Load(); n != questions+more {
		t.Errorf("%d questions were dropped, want %d", n, questions+more)
	}
	for range 2 * questions {
		h.gate <- struct{}{}
	}
	eventually(t, "more are worked on", func() bool { return h.count() == 1+2*questions })
	h.mu.Lock()
	served := map[string]int{}
	for _, name := range h.names {
		served[name]++
	}
	h.mu.Unlock()
	if served["polite."] != questions {
		t.Errorf("served %v, want %d of the polite client", served, questions)
	}
	close(h.gate)
	eventually(t, "all are done", func() bool { return open.Load() == 0 })
}

// A client with as many questions waiting for a dead upstream as it may have keeps no other
// client from asking it, whether or not the handler calls WillBlock.
func TestB7WaitingQuestionsLeaveRoom(t *testing.T) {
	for _, tells := range []bool{true, false} {
		w := newWorkers()
		w.working, w.waiting = fair.NewPlaces(10), fair.NewPlaces(10)
		in, gate := make(chan string, 100), make(chan struct{})
		meter := new(tally)
		s := &Backend{Meter: meter, Handler: handlerFunc(func(ctx context.Context, _ dns.ResponseWriter, r *dns.Msg) {
			if !tells || WillBlock(ctx) {
				in <- r.Question[0].Name
				<-gate
			}
		})}
		var open atomic.Int64
		for range 100 {
			submitFrom(t, w, s, &open, flooder, "flood.")
		}
		for range 7 { // two thirds of the places
			<-in
		}
		for range 2 {
			submitFrom(t, w, s, &open, polite, "polite.")
			if name := <-in; name != "polite." {
				t.Fatalf("%s got in", name)
			}
		}
		close(gate)
		eventually(t, "all are done", func() bool { return open.Load() == 0 })
	}
}

// While packets wait in a room, few workers are started, and who comes later has its turn.
func TestB7CrowdStartsFewWorkers(t *testing.T) {
	w := newWorkers()
	h, meter := &blocker{gate: make(chan struct{})}, new(tally)
	s := &Backend{Handler: h, Meter: meter}
	var open atomic.Int64
	ask := func(client netip.AddrPort, name string) {
		packet, err := new(dns.Msg).SetQuestion(name, dns.TypeA).Pack()
		if err != nil {
			t.Fatal(err)
		}
		task := w.newTask(s, &writer{client: client}, packet, &open)
		task.crowded = true
		w.submit(task)
	}
	for range 2 * crowdWorkers {
		ask(flooder, "flood.")
	}
	ask(polite, "polite.")
	eventually(t, "workers are busy", func() bool { return h.count() == crowdWorkers })
	w.mu.Lock()
	running := w.running
	w.mu.Unlock()
	if running != crowdWorkers {
		t.Errorf("%d workers, want %d", running, crowdWorkers)
	}
	for range 2 {
		h.gate <- struct{}{}
	}
	eventually(t, "two more are worked on", func() bool { return h.count() == crowdWorkers+2 })
	h.mu.Lock()
	if !slices.Contains(h.names, "polite.") {
		t.Error("the polite client has not had its turn")
	}
	h.mu.Unlock()
	close(h.gate)
	eventually(t, "all are done", func() bool { return open.Load() == 0 })
}
