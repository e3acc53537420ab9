package completion

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

// count counts searches.
type count struct{ found, none, givenUp int }

func (c *count) Found(searchpath.Position, int) { c.found++ }
func (c *count) NoData(searchpath.Position)     {}
func (c *count) Failed(searchpath.Position)     {}
func (c *count) None()                          { c.none++ }
func (c *count) GivenUp()                       { c.givenUp++ }

// sharedCount counts the searches that were given up, of several questions at a time.
type sharedCount struct {
	count
	givenUp atomic.Int64
}

func (c *sharedCount) None()    {}
func (c *sharedCount) GivenUp() { c.givenUp.Add(1) }

// asked is the rest of a slow server, in which only some names exist.
type asked struct {
	mu    sync.Mutex
	names []string
	have  string // the suffix of the names that exist
	takes time.Duration
	fails bool
	away  bool
}

func (a *asked) lookup(ctx context.Context, _ request.Request, name string, qtype uint16) (*dns.Msg, error) {
	a.mu.Lock()
	a.names = append(a.names, name)
	a.mu.Unlock()
	m := new(dns.Msg).SetQuestion(name, qtype)
	if a.takes > 0 {
		select {
		case <-time.After(a.takes):
		case <-ctx.Done():
			m.Rcode = dns.RcodeServerFailure
			return m, nil
		}
	}
	switch {
	case a.away:
		TurnAway(ctx)
		fallthrough
	case a.fails:
		m.Rcode = dns.RcodeServerFailure
	case a.have == "" || !strings.HasSuffix(name, a.have):
		m.Rcode = dns.RcodeNameError
	default:
		m.Answer = []dns.RR{&dns.A{Hdr: dns.RR_Header{Name: name, Rrtype: qtype, Class: dns.ClassINET}}}
	}
	return m, nil
}

// searchWith searches for www.example from the Namespace app, on a node with suffixes.
func searchWith(t *testing.T, a *asked, suffixes int) (*dns.Msg, *count) {
	t.Helper()
	c := new(count)
	cfg := Config{Mode: Names, Lookup: a.lookup, Counter: c}
	for i := range suffixes {
		cfg.Suffixes = append(cfg.Suffixes, parseName(t, fmt.Sprintf("s%d.corp.example.", i)).Wire())
	}
	completer := completerOf(t, cfg, "cluster.local.")
	const name = "www.example.app.svc.cluster.local."
	r := new(dns.Msg).SetQuestion(name, dns.TypeA)
	q := Question{State: request.Request{W: &test.ResponseWriter{}, Req: r}, Snapshot: clustertest.Snapshot(t, "namespace app"), Name: parseName(t, name)}
	return completer.Complete(context.Background(), q), c
}

// A list as long as older resolvers allow is searched whole, and a longer one as far.
func TestB3SearchAsksForFewNames(t *testing.T) {
	for _, tc := range []struct{ suffixes, questions, givenUp int }{
		{0, 2, 0}, {1, 4, 0}, {3, 8, 0}, {4, 8, 1}, {6, 8, 1}, {28, 8, 1},
	} {
		a := new(asked)
		m, c := searchWith(t, a, tc.suffixes)
		if m != nil || len(a.names) != tc.questions || c.givenUp != tc.givenUp || c.none != 1-tc.givenUp {
			t.Errorf("%d suffixes: %v asked %q, %+v, want %d questions", tc.suffixes, m, a.names, *c, tc.questions)
		}
	}
}

// A name that exists within the budget is found, however long the list is.
func TestB3SearchFindsWithinTheBudget(t *testing.T) {
	for suffix, found := range map[string]bool{".s0.corp.example.": true, ".s3.corp.example.": true, ".s4.corp.example.": false} {
		m, c := searchWith(t, &asked{have: suffix}, 6)
		if (m != nil) != found || (c.found == 1) != found {
			t.Errorf("%s: %v, %+v", suffix, m, *c)
		}
	}
}

// With a slow upstream a search ends in time, and the client goes on by itself.
func TestB3SearchTakesLittleTime(t *testing.T) {
	for _, tc := range []struct {
		title     string
		asked     *asked
		takes     time.Duration
		questions int
	}{
		{"slow", &asked{takes: 300 * time.Millisecond}, 1200 * time.Millisecond, 4},
		{"dead", &asked{takes: time.Hour}, time.Second, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			m, c := searchWith(t, tc.asked, 3)
			took := time.Since(begun)
			if m != nil || c.givenUp != 1 || took > tc.takes || len(tc.asked.names) > tc.questions {
				t.Errorf("%s: %v after %s, %+v, asked %q", tc.title, m, took, *c, tc.asked.names)
			}
		})
	}
}

// A client that already has too many waiting questions goes on by itself. A failure of an
// upstream becomes its answer.
func TestB3SearchOfABusyClient(t *testing.T) {
	for _, away := range []bool{true, false} {
		m, c := searchWith(t, &asked{fails: true, away: away}, 3)
		if away != (m == nil) || (c.givenUp == 1) != away {
			t.Errorf("turned away %t: %v, %+v", away, m, *c)
		}
	}
}

// A question that waits for the look-up of another with the same name counts as waiting: it must
// not take a worker from clients whose answers are at hand.
func TestB3JoinedLookUpsCountAsWaiting(t *testing.T) {
	for _, may := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			asked, c := &asked{takes: 500 * time.Millisecond}, new(sharedCount)
			var waited atomic.Int64
			completer := completerOf(t, Config{Mode: Names, Lookup: asked.lookup, Counter: c, MayWait: func(context.Context) bool {
				waited.Add(1)
				return may
			}}, "cluster.local.")
			const name, clients = "www.example.app.svc.cluster.local.", 3
			var asking sync.WaitGroup
			for range clients {
				asking.Go(func() {
					r := new(dns.Msg).SetQuestion(name, dns.TypeA)
					completer.Complete(context.Background(), Question{
						State: request.Request{W: &test.ResponseWriter{}, Req: r}, Snapshot: clustertest.Snapshot(t, "namespace app"), Name: parseName(t, name),
					})
				})
				synctest.Wait()
			}
			asking.Wait()
			if waited.Load() == 0 || len(asked.names) != 2 || (c.givenUp.Load() == clients-1) == may {
				t.Errorf("may wait %t: %d waited, asked %q, %d given up", may, waited.Load(), asked.names, c.givenUp.Load())
			}
		})
	}
}
