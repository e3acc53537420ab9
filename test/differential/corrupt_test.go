package differential

import (
	"net"

	"github.com/miekg/dns"
)

// corruptions are mistakes that no entry of the list describes, made in an answer of ours.
// A matcher that still explains the difference hides more than its entry says.
var corruptions = map[string]func(*dns.Msg) bool{
	"another response code": func(m *dns.Msg) bool {
		m.Rcode = dns.RcodeNotImplemented
		return true
	},
	"not authoritative": func(m *dns.Msg) bool {
		m.Authoritative = !m.Authoritative
		return true
	},
	"a strange record": func(m *dns.Msg) bool {
		hdr := dns.RR_Header{Name: m.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}
		m.Answer = append(m.Answer, &dns.A{Hdr: hdr, A: net.IPv4(192, 0, 2, 99)})
		return true
	},
	"a record less": func(m *dns.Msg) bool {
		if len(m.Answer) == 0 {
			return false
		}
		m.Answer = m.Answer[1:]
		return true
	},
	"no authority": func(m *dns.Msg) bool {
		had := len(m.Ns) > 0
		m.Ns = nil
		return had
	},
	"a longer TTL": func(m *dns.Msg) bool {
		for _, section := range [][]dns.RR{m.Answer, m.Ns} {
			if len(section) > 0 {
				section[0].Header().Ttl++
				return true
			}
		}
		return false
	},
	"another size of EDNS": func(m *dns.Msg) bool {
		opt := m.IsEdns0()
		if opt != nil {
			opt.SetUDPSize(opt.UDPSize() + 1)
		}
		return opt != nil
	},
}

// isStocks reports whether ours has become stock's answer, apart from independent
// differences.
func (r *reasons) isStocks(c *comparison) bool {
	for fixed, _, ok := r.corrected(c); ok; fixed, _, ok = r.corrected(c) {
		c = fixed
	}
	return !c.differs()
}

// overlooked returns the corruptions of a difference that the matcher still explains.
func (r *reasons) overlooked(c *comparison) (kinds []string) {
	if c.ours.problem != nil || c.ours.flags.tc {
		return nil
	}
	for kind, corrupt := range corruptions {
		m := c.ours.msg.Copy()
		if !corrupt(m) {
			continue
		}
		worse := *c
		worse.ours = c.loosen(newReply(m))
		if worse.ours.equal(c.ours) || !worse.differs() || r.isStocks(&worse) {
			continue
		}
		if entry, ok := r.explain(&worse); ok {
			kinds = append(kinds, r.entries[entry].String()+": "+kind)
		}
	}
	return kinds
}
