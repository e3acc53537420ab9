package fair

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// politeRate is the number of questions per second of a polite client.
const politeRate = 100

// client is a polite client.
type client struct {
	title    string
	address  net.IP
	question func(i int) string
	waits    bool // its questions need the upstream
}

const (
	ownName     = "web.app.svc.cluster.local."
	cachedNames = 10
)

func cachedName(i int) string { return fmt.Sprintf("c%d.polite.example.", i%cachedNames) }

var clients = []client{
	{title: "cluster names", address: net.IPv4(127, 0, 0, 11), question: func(int) string { return ownName }},
	{title: "cached names", address: net.IPv4(127, 0, 0, 12), question: cachedName},
	{
		title: "new names", address: net.IPv4(127, 0, 0, 13), waits: true,
		question: func(i int) string { return fmt.Sprintf("n%d.polite.example.", i) },
	},
}

// result has the outcomes of a client's questions.
type result struct {
	client client

	mu     sync.Mutex
	sent   []time.Time // by id of the question
	took   []time.Duration
	errors int
}

// askPolitely asks until the context ends.
func askPolitely(ctx context.Context, to string, f flood) ([]*result, error) {
	var results []*result
	var asking sync.WaitGroup
	for _, c := range clients {
		if c.waits && f.upstream.dead {
			continue // nobody could answer it
		}
		address, err := net.ResolveUDPAddr("udp4", to)
		if err != nil {
			return nil, err
		}
		conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: c.address}, address)
		if err != nil {
			return nil, err
		}
		r := &result{client: c}
		results = append(results, r)
		asking.Go(func() {
			defer conn.Close()
			r.ask(ctx, conn)
			time.Sleep(patience)
		})
		go r.receive(conn)
	}
	asking.Wait()
	return results, nil
}

func (r *result) ask(ctx context.Context, conn *net.UDPConn) {
	tick := time.NewTicker(time.Second / politeRate)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		r.mu.Lock()
		m := new(dns.Msg).SetQuestion(r.client.question(len(r.sent)), dns.TypeA)
		m.Id = uint16(len(r.sent))
		r.sent = append(r.sent, time.Now())
		r.mu.Unlock()
		if packet, err := m.Pack(); err == nil {
			_, _ = conn.Write(packet) // then it counts as lost
		}
	}
}

// receive counts answers until the socket is closed.
func (r *result) receive(conn *net.UDPConn) {
	buf := make([]byte, 2048)
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return
		}
		m := new(dns.Msg)
		if m.Unpack(buf[:n]) != nil {
			continue
		}
		r.mu.Lock()
		if took := time.Since(r.sent[m.Id]); m.Rcode != dns.RcodeSuccess || len(m.Answer) == 0 {
			r.errors++
		} else if took <= patience {
			r.took = append(r.took, took)
		}
		r.mu.Unlock()
	}
}

func (r *result) loss() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	lost := len(r.sent) - len(r.took)
	text := fmt.Sprintf("%.1f %%", 100*float64(lost)/float64(len(r.sent)))
	if r.errors > 0 {
		text += fmt.Sprintf(" (%d errors)", r.errors)
	}
	return text
}

func (r *result) quantile(q float64) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.took) == 0 {
		return "-"
	}
	slices.Sort(r.took)
	return r.took[int(q*float64(len(r.took)-1))].Round(10 * time.Microsecond).String()
}
