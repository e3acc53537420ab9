package cost

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/proc"
)

// way is how a client asks, and how much it takes.
type way struct {
	title, network string
	size           uint16 // in EDNS; 0 without EDNS
}

var ways = []way{
	{"512 octets", "udp", 0},
	{"1,232 octets", "udp", 1232},
	{"65,535 octets over UDP", "udp", dns.MaxMsgSize - 1},
	{"TCP", "tcp", dns.MaxMsgSize - 1},
}

// errNoAnswer means that a server has answered nothing at all.
var errNoAnswer = errors.New("no answer")

// cost is what one question takes.
type cost struct {
	cpu    time.Duration
	octets int64
}

// askers is the number of clients, so that the server need not be woken for each question.
const askers = 4

// ask asks one question again and again for a while.
func (s *server) ask(ctx context.Context, long time.Duration, w way, name string, qtype uint16) (cost, error) {
	ctx, cancel := context.WithTimeout(ctx, long)
	defer cancel()
	before, err := proc.ReadTicks(s.process.ID())
	if err != nil {
		return cost{}, err
	}
	var count, octets atomic.Int64
	failures := make([]error, askers)
	var asking sync.WaitGroup
	for i := range askers {
		asking.Go(func() { failures[i] = s.repeat(ctx, w, name, qtype, &count, &octets) })
	}
	asking.Wait()
	if err := errors.Join(failures...); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return cost{}, err
	}
	after, err := proc.ReadTicks(s.process.ID())
	if err != nil {
		return cost{}, err
	}
	n := count.Load()
	if n == 0 {
		return cost{}, errNoAnswer
	}
	return cost{cpu: (after - before) / time.Duration(n), octets: octets.Load() / n}, nil
}

// repeat asks over one connection until the context ends, at least once.
func (s *server) repeat(ctx context.Context, w way, name string, qtype uint16, count, octets *atomic.Int64) error {
	client := dns.Client{Net: w.network}
	conn, err := client.Dial(s.address)
	if err != nil {
		return err
	}
	defer conn.Close()
	conn.UDPSize = dns.MaxMsgSize - 1
	m := new(dns.Msg).SetQuestion(name, qtype)
	if w.size > 0 {
		m.SetEdns0(w.size, false)
	}
	for {
		n, err := exchange(conn, m)
		if err != nil {
			return err
		}
		count.Add(1)
		octets.Add(int64(n))
		if ctx.Err() != nil {
			return nil
		}
	}
}

// exchange asks once, and returns the octets of the reply.
func exchange(conn *dns.Conn, m *dns.Msg) (int, error) {
	m.Id = dns.Id()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	if err := conn.WriteMsg(m); err != nil {
		return 0, err
	}
	var header dns.Header
	packet, err := conn.ReadMsgHeader(&header)
	if err != nil {
		return 0, err
	}
	if rcode := int(header.Bits & 0xf); header.Id != m.Id || rcode != dns.RcodeSuccess || header.Ancount == 0 {
		return 0, fmt.Errorf("%s with %d records", dns.RcodeToString[rcode], header.Ancount)
	}
	return len(packet), nil
}

// patience is how long a reply may take.
const patience = 3 * time.Second
