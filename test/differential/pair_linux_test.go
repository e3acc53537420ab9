package differential

import (
	"context"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/netlab"
)

// clients is how many questions are in progress at a time.
const clients = 48

// pair is stock and ours, running with one Corefile, with the path that ours uses.
type pair struct {
	addresses [3]string // of both main blocks, and of stock's block behind
	path      path
	unready   bool
	left      bool // our sockets answer nothing
}

// startPairs starts stock with a Corefile, and ours once for each path, and waits
// until all serve.
func startPairs(t *testing.T, c *corefile, env []string) []*pair {
	t.Helper()
	binary := binaries(t)
	stock := startOne(t, c, binary[stockServer], stockPorts, env)
	behind := fmt.Sprintf("%s:%d", serverAddr, stockPorts+behindPorts+c.port)
	var all []*pair
	for _, path := range paths {
		ours := startOne(t, c, binary[ourServer], path.ports, slices.Concat(env, path.env))
		p := &pair{addresses: [3]string{stock, ours, behind}, path: path, unready: c.unready, left: c.left(t)}
		p.awaitServing(t)
		all = append(all, p)
	}
	return all
}

// startOne starts a server as startProcess does. It returns the address of its main block.
func startOne(t *testing.T, c *corefile, binary string, base int, env []string) (address string) {
	t.Helper()
	_, address = startProcess(t, c, binary, base, env)
	return address
}

// awaitServing waits until every block answers over both networks.
func (p *pair) awaitServing(t *testing.T) {
	t.Helper()
	a := newAsker(p.addresses[:]...)
	defer a.close()
	for i := range p.addresses {
		for _, tcp := range []bool{false, true} {
			q := ask("cluster.local.", dns.TypeSOA)
			q.tcp = tcp
			netlab.Eventually(t, func(context.Context) error { return a.one(i, q).problem })
		}
	}
}

// compare asks all questions for the path, counts the answers, and checks that the path was
// used.
func (p *pair) compare(t *testing.T, s *scene, questions iter.Seq[question], to *tally) {
	t.Helper()
	work := make(chan question, 4*clients)
	var all sync.WaitGroup
	for range clients {
		all.Go(func() { p.client(t, s, work, to) })
	}
	for q := range p.part(questions) {
		work <- q
	}
	close(work)
	all.Wait()
	p.wasTaken(t)
}

// client asks one question at a time.
func (p *pair) client(t *testing.T, s *scene, work <-chan question, to *tally) {
	askers := map[netip.Addr]*asker{}
	for _, addr := range s.clientAddrs() {
		askers[addr] = newAskerFrom(addr, p.addresses[:]...)
		defer askers[addr].close()
	}
	n, explained := 0, map[int]int{}
	for q := range work {
		for range s.times(q) {
			asked, err := (&comparison{scene: s.of(q.name), asker: askers[q.client], q: q}).run(to, explained)
			if err != nil {
				t.Errorf("%s: %v", q, err)
			}
			n += asked
		}
	}
	to.add(s.name, p.path.name, n, explained)
}

// times returns how often a question is asked in a row. Our sockets keep what the cache answers for a
// name outside the second time, and give it the third.
func (c *corefile) times(q question) int {
	if _, ours := c.locate(q.name); c.cached && !ours {
		return 3
	}
	return 1
}

// run asks both and judges a difference. After a truncated answer it asks again over TCP,
// like a resolver, and compares those answers.
func (c *comparison) run(to *tally, explained map[int]int) (asked int, err error) {
	if err := c.exchange(); err != nil {
		return 0, err
	}
	differing := c
	if (c.stock.flags.tc || c.ours.flags.tc) && !c.q.tcp {
		full := *c
		full.q = c.q.overTCP()
		if err := full.exchange(); err != nil {
			return 1, err
		}
		asked++
		if full.differs() {
			differing = &full
		}
	}
	switch {
	case differing.differs():
		differing.judge(to, explained)
	case explained[equal] < sampled:
		explained[equal]++
		to.overlook(to.overlooked(c))
	}
	return asked + 1, nil
}

// retries is how often a question without an answer is repeated, unless an entry explains
// that: a busy machine may have lost the answer. The same goes for the further questions with
// which an entry explains a difference.
const retries = 3

// judge finds the entry that explains the difference. The first times that a client meets
// an entry, it checks that the matcher does not explain everything.
func (c *comparison) judge(to *tally, explained map[int]int) {
	entry, ok, doubtful := c.explained(to)
	for i := 0; !ok && i < retries && doubtful; i++ {
		if c.exchange() != nil || !c.differs() {
			return
		}
		entry, ok, doubtful = c.explained(to)
	}
	if !ok {
		to.reject(c)
		return
	}
	if explained[entry]++; explained[entry] <= sampled {
		to.overlook(to.overlooked(c))
	}
}

// explained returns the entry that explains the difference, and reports whether an answer was
// missing for that.
func (c *comparison) explained(to *tally) (entry int, ok, doubtful bool) {
	before := c.asker.failed
	entry, ok = to.explain(c)
	return entry, ok, c.stock.problem != nil || c.ours.problem != nil || c.asker.failed > before
}

// sampled is how many differences of each entry a client corrupts, and how many equal
// answers.
const sampled = 3

// equal stands for equal answers in place of an entry.
const equal = -1
