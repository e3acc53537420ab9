package search

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// figures are the measurements of look-ups of one kind.
type figures struct {
	took      []time.Duration
	questions int
	cpu       time.Duration // CPU time of the server
}

// searchPath is the search path of a Pod in the Namespace app.
var searchPath = []string{".app.svc.cluster.local.", ".svc.cluster.local.", ".cluster.local.", "."}

// patience is how long a resolver waits for an answer (resolv.conf(5)).
const patience = 5 * time.Second

// lookUp looks up both families of a name.
func (f *figures) lookUp(ctx context.Context, server, name string) error {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "udp", server)
	if err != nil {
		return err
	}
	defer conn.Close()
	begun := time.Now()
	for _, suffix := range searchPath {
		found, err := f.element(&dns.Conn{Conn: conn}, name+suffix)
		if err != nil {
			return err
		}
		if found {
			f.took = append(f.took, time.Since(begun))
			return nil
		}
	}
	return fmt.Errorf("%s was not found", name)
}

// element asks for A and AAAA of one name, and reports whether it has an address.
func (f *figures) element(conn *dns.Conn, name string) (bool, error) {
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return false, err
	}
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		f.questions++
		if err := conn.WriteMsg(new(dns.Msg).SetQuestion(name, qtype)); err != nil {
			return false, err
		}
	}
	found := false
	for range 2 {
		m, err := conn.ReadMsg()
		if err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
		if m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError {
			return false, fmt.Errorf("%s: %s", name, dns.RcodeToString[m.Rcode])
		}
		found = found || len(m.Answer) > 0
	}
	return found, nil
}

func (f *figures) quantile(q float64) time.Duration {
	slices.Sort(f.took)
	return f.took[int(q*float64(len(f.took)-1))].Round(10 * time.Microsecond)
}

func publish(out io.Writer, servers []*target, up *upstream) error {
	load, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d look-ups each, upstream at %s, load average at the end %s\n", len(servers[0].cold.took), up.delay, load)
	fmt.Fprintln(out, "| server | questions | cold p50 | p99 | CPU | warm p50 | p99 | CPU |\n|---|---|---|---|---|---|---|---|")
	for _, t := range servers {
		n := len(t.cold.took)
		_, err = fmt.Fprintf(out, "| %s | %.1f | %s | %s | %s | %s | %s | %s |\n", t.name, float64(t.cold.questions)/float64(n),
			t.cold.quantile(0.5), t.cold.quantile(0.99), (t.cold.cpu / time.Duration(n)).Round(time.Microsecond),
			t.warm.quantile(0.5), t.warm.quantile(0.99), (t.warm.cpu / time.Duration(n)).Round(time.Microsecond))
	}
	return err
}
