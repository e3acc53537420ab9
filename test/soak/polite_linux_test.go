//go:build soak

package soak

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const (
	// politeRest is the time between two questions of a polite client.
	politeRest = 10 * time.Millisecond
	// politeLoss is the part of its questions that a polite client may lose.
	politeLoss = 0.02
	// outsideNames is how many outside names that change are asked for.
	outsideNames = 20
)

// politeTo returns the listeners that polite clients ask, and that are flooded.
func politeTo() []string {
	return []string{fmt.Sprintf("127.0.0.1:%d", wildcardPort), fmt.Sprintf("%s:%d", serverAddr, boundPort)}
}

// leastTTLs are the least TTLs of the caches of those listeners. The second cache keeps aliases.
var leastTTLs = []uint32{1, 5}

// kind is what a polite client asks for.
type kind struct {
	name     string
	question func(i int) string
	changes  bool // the answer is the address of an outside name that changes
	alias    bool // the cache may keep it, apart from the outside name
}

func changing0(i int) string { return changingName(i % outsideNames) }

var kinds = []kind{
	{name: "cluster names", question: func(int) string { return "fixed" + suffix + "." }},
	{name: "external names", question: func(int) string { return "open" + externalSuffix + "." }},
	{name: "outside names", question: changing0, changes: true},
	{name: "aliases", question: func(int) string { return "out" + suffix + "." }, changes: true, alias: true},
	{name: "searched names", question: func(i int) string { return changing0(i)[:len(changing0(i))-1] + suffix + "." }, changes: true},
}

// polite is a client that asks at an even pace, from an address of its own.
type polite struct {
	kind
	to      string
	from    net.IP
	least   uint32
	twice   bool // the answer is made from a kept one, and kept
	outside outside
	weather *weather
	tally   *tally

	conn *dns.Conn
	mu   sync.Mutex
	open map[uint16]politeQuestion
}

type politeQuestion struct {
	message *dns.Msg
	sent    time.Time
	flood   string
}

// politeClients returns one client of each kind for each listener.
func politeClients(w *world, weather *weather, v *tally) (all []*polite) {
	for i, to := range politeTo() {
		for k, kind := range kinds {
			all = append(all, &polite{
				kind: kind, to: to, from: net.IPv4(127, 0, byte(1+i), byte(11+k)), least: leastTTLs[i],
				twice: kind.alias && i == 1, outside: w.outside, weather: weather, tally: v, open: map[uint16]politeQuestion{},
			})
		}
	}
	return all
}

// run asks until the context ends, and then waits for the last answers.
func (p *polite) run(ctx context.Context) error {
	dialer := net.Dialer{LocalAddr: &net.UDPAddr{IP: p.from}}
	conn, err := dialer.DialContext(ctx, "udp4", p.to)
	if err != nil {
		return err
	}
	p.conn = &dns.Conn{Conn: conn, UDPSize: dns.MaxMsgSize}
	var receiving sync.WaitGroup
	receiving.Go(p.receive)
	defer receiving.Wait()
	defer conn.Close()
	asked := 0
	err = repeat(ctx, politeRest, func() error {
		asked++
		return p.ask(asked)
	})
	pause(context.WithoutCancel(ctx), answerTimeout)
	p.expire(time.Now())
	return err
}

func (p *polite) ask(i int) error {
	m := new(dns.Msg).SetQuestion(p.question(i), dns.TypeA)
	m.Id = uint16(i)
	p.mu.Lock()
	p.open[m.Id] = politeQuestion{m, time.Now(), p.weather.now()}
	p.mu.Unlock()
	p.expire(time.Now().Add(-answerTimeout))
	return p.conn.WriteMsg(m)
}

// expire counts the questions as lost that were asked before a time.
func (p *polite) expire(before time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, q := range p.open {
		if q.sent.Before(before) {
			delete(p.open, id)
			p.tally.countPolite(q.flood, p.name, errors.New("no answer to "+q.message.Question[0].Name))
		}
	}
}

// receive judges answers until the socket is closed.
func (p *polite) receive() {
	for {
		r, err := p.conn.ReadMsg()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			p.tally.complain(p.to, err)
			continue
		}
		p.mu.Lock()
		q, ok := p.open[r.Id]
		delete(p.open, r.Id)
		p.mu.Unlock()
		if ok { // otherwise the answer came too late
			p.judge(q, r)
		}
	}
}

// judge counts an error as lost. What is worse is a wrong answer.
func (p *polite) judge(q politeQuestion, r *dns.Msg) {
	if _, ok := lastAddress(r); !ok {
		p.tally.countPolite(q.flood, p.name, fmt.Errorf("%s: %s", q.message.Question[0].Name, text(r)))
		return
	}
	p.tally.countPolite(q.flood, p.name, nil)
	if !slices.Equal(r.Question, q.message.Question) {
		p.tally.complain(p.to, fmt.Errorf("not an answer to %s:\n%s", q.message.Question[0].Name, r))
	}
	if !p.changes {
		return
	}
	if err := p.outside.checkAge(r, q.sent, p.least, p.twice); err != nil {
		p.tally.complain(p.to, fmt.Errorf("%w, flood %s:\n%s", err, q.flood, r))
	}
}

// loss is what polite clients of a kind lost during floods of a kind.
type loss struct{ asked, lost int }

type during struct{ flood, kind string }

func (v *tally) countPolite(flood, kind string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	l := v.polite[during{flood, kind}]
	l.asked++
	if err != nil {
		l.lost++
		if l.lost <= 3 {
			v.mention(&v.missing, "flood "+flood, err)
		}
	}
	v.polite[during{flood, kind}] = l
}

// reportPolite prints what polite clients lost, and fails the test if that is too much. With
// the race detector the server is too slow to be judged.
func (v *tally) reportPolite(t *testing.T) {
	t.Helper()
	byName := func(a, b during) int { return slices.Compare([]string{a.flood, a.kind}, []string{b.flood, b.kind}) }
	for _, d := range slices.SortedFunc(maps.Keys(v.polite), byName) {
		l := v.polite[d]
		part := float64(l.lost) / float64(l.asked)
		t.Logf("flood: %s: %s: %d of %d lost, %.2f %%", d.flood, d.kind, l.lost, l.asked, 100*part)
		if part > politeLoss && !raced {
			t.Errorf("a polite client lost %.2f %%, want at most %.0f %%", 100*part, 100*politeLoss)
		}
	}
	if want := (1 + len(floods)) * len(kinds); len(v.polite) != want {
		t.Errorf("%d kinds of floods and polite clients, want %d", len(v.polite), want)
	}
}
