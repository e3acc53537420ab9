package fastpath

import (
	"net/netip"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
)

// Shortfall says that the fast path would not answer at a listener, or not for a server block there.
type Shortfall struct {
	Server string
	State  string // as the log has it
	Reason error  // a [corefile.Obstacle] if a line of the Corefile is the reason
}

// Shortfalls returns where the fast path of an instance would not answer if these servers served. It opens no
// socket.
func Shortfalls(i *caddy.Instance, servers []caddy.Server) []Shortfall {
	f := of(i)
	if f == nil {
		return nil
	}
	var all []Shortfall
	for _, server := range servers {
		if s, ok := server.(*dnsserver.Server); ok {
			all = append(all, f.shortfalls(s)...)
		}
	}
	return all
}

func (f *Instance) shortfalls(s *dnsserver.Server) (all []Shortfall) {
	address, err := netip.ParseAddrPort(listenAddress(s.Addr))
	if err != nil {
		return []Shortfall{{s.Addr, isOff, err}}
	}
	p := f.plan(s, address)
	switch {
	case p.reason != nil && p.backend == nil:
		all = append(all, Shortfall{s.Addr, isOff, p.reason})
	case p.reason != nil:
		all = append(all, Shortfall{s.Addr, handsOver, p.reason})
	}
	for _, reason := range p.left {
		all = append(all, Shortfall{s.Addr, leavesOut, reason})
	}
	return all
}
