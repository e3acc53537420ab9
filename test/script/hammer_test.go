package script

import (
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"
)

// hammer asks one question over and over in the background, until rest. Every answer must
// be a success.
type hammer struct {
	stop   atomic.Bool
	done   sync.WaitGroup
	mu     sync.Mutex
	count  int
	failed error // the first failure
}

// startHammer implements the command hammer.
func startHammer(ts *testscript.TestScript, _ bool, args []string) {
	s := stateOf(ts)
	if s.hammer != nil {
		ts.Fatalf("a hammer runs already: use rest")
	}
	q, err := parseQuery(args)
	ts.Check(err)
	addr := net.JoinHostPort("127.0.0.1", ts.Getenv(q.port))
	h := new(hammer)
	s.hammer = h
	for range 4 {
		h.done.Go(func() { h.run(q, addr) })
	}
	ts.Defer(h.end)
}

// rest stops the hammer and prints the number of its answers.
func rest(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, args)
	s := stateOf(ts)
	if s.hammer == nil {
		ts.Fatalf("no hammer runs")
	}
	s.hammer.end()
	fmt.Fprintln(ts.Stdout(), s.hammer.count)
	expect(ts, neg, s.hammer.failed)
	s.hammer = nil
}

func (h *hammer) run(q *query, addr string) {
	for !h.stop.Load() {
		r, err := q.ask(addr)
		if err == nil && r.Rcode != dns.RcodeSuccess {
			err = fmt.Errorf("status %s", dns.RcodeToString[r.Rcode])
		}
		h.mu.Lock()
		h.count++
		if h.failed == nil && err != nil {
			h.failed = fmt.Errorf("answer %d: %w", h.count, err)
		}
		h.mu.Unlock()
	}
}

func (h *hammer) end() {
	h.stop.Store(true)
	h.done.Wait()
}
