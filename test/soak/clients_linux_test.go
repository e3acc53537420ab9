//go:build soak

package soak

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	udpClients = 16 // sockets, for each listener
	tcpClients = 2  // connections, for each listener
	burst      = 8  // unanswered questions of a socket
	// rest is the time between two bursts.
	rest = 100 * time.Millisecond
	// answerTimeout is how long a stub resolver waits for an answer.
	answerTimeout = 5 * time.Second
	// attempts is how often a question is asked over TCP, because a reload closes
	// connections.
	attempts = 5
	// fixedPart says that one question in so many is about names that do not change.
	fixedPart = 4
	// mentions is how many wrong answers a test reports, and how many missing ones: a second in
	// which nobody gets an answer must not hide what was wrong.
	mentions = 40
)

// tally has what all clients have seen.
type tally struct {
	mu                     sync.Mutex
	overUDP, overTCP, lost int
	redials, failures      int
	hostile, replies       int      // corrupted packets, and replies to them
	wrong, missing         []string // the first of each, with the time
	began                  time.Time
	polite                 map[during]loss
	transfers              transfers
}

func newTally() *tally { return &tally{began: time.Now(), polite: map[during]loss{}} }

// complain records a wrong answer.
func (v *tally) complain(address string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.failures++
	v.mention(&v.wrong, address, err)
}

// miss records a question without an answer, which is judged at the end.
func (v *tally) miss(address string, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lost++
	v.mention(&v.missing, address, err)
}

func (v *tally) mention(in *[]string, address string, err error) {
	if len(*in) < mentions {
		*in = append(*in, fmt.Sprintf("%7.3fs %s: %v", time.Since(v.began).Seconds(), address, err))
	}
}

func (v *tally) count(udp, tcp, redials int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.overUDP += udp
	v.overTCP += tcp
	v.redials += redials
}

func (v *tally) countHostile(packets, replies int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.hostile += packets
	v.replies += replies
}

// client asks one listener all the time.
type client struct {
	address string
	objects []*object
	tally   *tally
	conn    *dns.Conn
	id      uint16
}

// asked is a question without an answer so far.
type asked struct {
	object   *object
	question string
	newest   int
	message  *dns.Msg
}

func (c *client) choose() (*asked, error) {
	o := c.objects[rand.IntN(len(c.objects))]
	if rand.IntN(fixedPart) == 0 {
		o = c.objects[0]
	}
	q := o.questions[rand.IntN(len(o.questions))]
	m, err := message(q)
	if err != nil {
		return nil, err
	}
	c.id++
	m.Id = c.id
	return &asked{object: o, question: q, newest: o.newest(), message: m}, nil
}

func (c *client) judge(a *asked, r *dns.Msg) {
	if !r.Response || !slices.Equal(r.Question, a.message.Question) {
		c.tally.complain(c.address, fmt.Errorf("not an answer to %s:\n%s", a.question, r))
		return
	}
	if err := a.object.judge(a.question, a.newest, text(r)); err != nil {
		c.tally.complain(c.address, err)
	}
}

// run repeats a step until the context ends.
func (c *client) run(ctx context.Context, step func() error) error {
	defer func() {
		if c.conn != nil {
			c.conn.Close()
		}
	}()
	if err := repeat(ctx, rest, step); err != nil {
		return fmt.Errorf("%s: %w", c.address, err)
	}
	return nil
}

// repeat runs a step in every period until the context ends.
func repeat(ctx context.Context, period time.Duration, step func() error) error {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if err := step(); err != nil {
				return err
			}
		}
	}
}

// udp sends a burst of questions and receives the answers. No question is repeated.
func (c *client) udp() (err error) {
	if c.conn == nil {
		if c.conn, err = dns.Dial("udp", c.address); err != nil {
			return err
		}
		c.conn.UDPSize = dns.MaxMsgSize
	}
	under := map[uint16]*asked{}
	for range burst {
		a, err := c.choose()
		if err != nil {
			return err
		}
		under[a.message.Id] = a
		if err := c.conn.WriteMsg(a.message); err != nil {
			c.tally.complain(c.address, err)
		}
	}
	c.take(under)
	c.tally.count(burst, 0, 0)
	return nil
}

// take receives answers, which arrive in any order, and leaves the questions without one.
func (c *client) take(under map[uint16]*asked) {
	_ = c.conn.SetReadDeadline(time.Now().Add(answerTimeout)) // never fails on a socket that is open
	for len(under) > 0 {
		r, err := c.conn.ReadMsg()
		if err != nil {
			for _, a := range under {
				c.tally.miss(c.address, fmt.Errorf("%s: no answer: %w", a.question, err))
			}
			return
		}
		if a := under[r.Id]; a != nil { // otherwise the answer came too late
			delete(under, r.Id)
			c.judge(a, r)
		}
	}
}

// tcp asks one question, and connects again when the connection has been closed.
func (c *client) tcp() error {
	a, err := c.choose()
	if err != nil {
		return err
	}
	for try := range attempts {
		var r *dns.Msg
		if r, err = c.exchange(a.message); err == nil {
			c.judge(a, r)
			c.tally.count(0, 1, try)
			return nil
		}
		if c.conn != nil {
			c.conn.Close()
			c.conn = nil
		}
	}
	c.tally.complain(c.address, fmt.Errorf("%s over TCP: %w", a.question, err))
	return nil
}

func (c *client) exchange(m *dns.Msg) (r *dns.Msg, err error) {
	if c.conn == nil {
		if c.conn, err = dns.DialTimeout("tcp", c.address, answerTimeout); err != nil {
			return nil, err
		}
	}
	if err := c.conn.SetDeadline(time.Now().Add(answerTimeout)); err != nil {
		return nil, err
	}
	if err := c.conn.WriteMsg(m); err != nil {
		return nil, err
	}
	return c.conn.ReadMsg()
}

// exchange asks once over UDP.
func exchange(ctx context.Context, m *dns.Msg, address string) (*dns.Msg, error) {
	c := dns.Client{Timeout: answerTimeout}
	r, _, err := c.ExchangeContext(ctx, m, address)
	return r, err
}
