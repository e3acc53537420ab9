package clusterdns

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
)

// noAAAAMode says when names outside the cluster have no AAAA records.
type noAAAAMode uint8

// The modes of the property no_aaaa.
const (
	noAAAAOff  noAAAAMode = iota
	noAAAAAuto            // as long as neither the cluster nor the server has an IPv6 address
	noAAAAOn
)

// noAAAAModes has the careful mode for a property without a value.
var noAAAAModes = &modeTable[noAAAAMode]{
	property: "no_aaaa", variable: "CLUSTERDNS_NO_AAAA", usage: "[auto|on|off]",
	values: map[string]noAAAAMode{"": noAAAAAuto, "auto": noAAAAAuto, "on": noAAAAOn, "off": noAAAAOff},
}

func parseNoAAAA(cfg *config, c *caddy.Controller, args []string) error {
	return cfg.noAAAA.parse(noAAAAModes, c, args)
}

func (cfg *config) noAAAAFrom(environment func(string) string) error {
	return cfg.noAAAA.from(noAAAAModes, environment)
}

// silencer decides which questions for AAAA are answered without data.
type silencer struct {
	mode     noAAAAMode
	local6   bool           // the server has an IPv6 address that others can reach
	asked    plugin.Handler // knows A: the first that sees a name as rewrite and autopath leave it
	silenced prometheus.Counter
}

// lookAround finds out whether the server has an IPv6 address, and whom to ask for A.
func (s *silencer) lookAround(ahead []plugin.Handler, ours plugin.Handler) {
	s.asked = cmp.Or(corefile.FirstWithName(ahead), ours)
	if s.mode == noAAAAAuto {
		s.local6 = slices.ContainsFunc(localAddrs(nil), netip.Addr.Is6)
	}
}

// silences reports whether a question for a name outside our zones is answered without AAAA
// records. A client that checks signatures would take that for a forgery.
func (s *silencer) silences(snapshot *cluster.Snapshot, r *dns.Msg) bool {
	if s.mode == noAAAAOff || len(r.Question) != 1 || r.CheckingDisabled {
		return false
	}
	if q := r.Question[0]; q.Qtype != dns.TypeAAAA || q.Qclass != dns.ClassINET {
		return false
	}
	if opt := r.IsEdns0(); opt != nil && opt.Do() {
		return false
	}
	return s.mode == noAAAAOn || !s.local6 && onlyIPv4(snapshot)
}

// onlyIPv4 reports whether no Service and no endpoint has an IPv6 address. Unique local
// addresses (RFC 4193) count, because their clients may reach the world through translation.
func onlyIPv4(s *cluster.Snapshot) bool {
	return s.Synced() && !s.ClusterIPs().HasIPv6() && !s.EndpointAddrs().HasIPv6() && !s.ExternalAddrs().HasIPv6()
}

// withoutAAAA answers a question for AAAA from what the server block says about A, which tells
// whether the name exists. It returns nil if nobody answers for the name.
func (d *ClusterDNS) withoutAAAA(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) *dns.Msg {
	up := chain.Ask(ctx, d.noAAAA.asked, w, r, dns.TypeA)
	if up.Rcode == dns.RcodeRefused {
		return nil
	}
	m, qname := new(dns.Msg).SetReply(r), r.Question[0].Name
	m.Rcode, m.RecursionAvailable, m.Ns = up.Rcode, up.RecursionAvailable, soas(up.Ns)
	last, ttl := qname, uint32(maxSilence)
	for _, rr := range up.Answer {
		ttl = min(ttl, rr.Header().Ttl)
		if alias, ok := rr.(*dns.CNAME); ok {
			m.Answer, last = append(m.Answer, rr), alias.Target
		}
	}
	if m.Rcode != dns.RcodeSuccess {
		return m
	}
	d.noAAAA.silenced.Inc()
	if len(m.Ns) == 0 && len(up.Answer) > 0 {
		m.Ns = []dns.RR{silenceSOA(last, ttl)}
	}
	return m
}

// maxSilence bounds how long, in seconds, others may remember that a name has no AAAA
// records: somebody may turn no_aaaa off.
const maxSilence = 300

// silenceSOA returns the SOA record of an answer without data (RFC 2308 2.2). Its owner is the
// name itself, since any other may be no zone.
func silenceSOA(name string, ttl uint32) dns.RR {
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: name, Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: ttl},
		Ns:  "no-aaaa.invalid.", Mbox: "hostmaster.invalid.", Serial: 1,
		Refresh: 7200, Retry: 1800, Expire: 86400, Minttl: ttl,
	}
}
