package zone

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// ExternalView is what zones for the world outside the cluster show of a snapshot:
// Services by their external addresses and the hostnames of their load balancers.
// It is not changed while it is in use.
type ExternalView struct {
	Origins  []Origin
	Apex     dnsname.Name // relative to an origin: what is below it is not the cluster's
	TTL      uint32       // of every record, in seconds
	Headless bool         // Services without an external address are shown by their endpoints
	Cluster  *View        // the cluster's own: Namespaces shown, names of endpoints, the server's addresses
}

// Lookup answers a question from a snapshot, as View.Lookup does.
func (v *ExternalView) Lookup(s *cluster.Snapshot, n *dnsname.Name, qtype uint16) Answer {
	return v.LookupWithin(s, n, qtype, Everything)
}

// LookupWithin answers with no more than there is room for, as View.LookupWithin does.
func (v *ExternalView) LookupWithin(s *cluster.Snapshot, n *dnsname.Name, qtype uint16, room Room) Answer {
	own := v.own()
	o, ok := own.Origin(n)
	if !ok {
		return Answer{Result: OutOfZone}
	}
	if !s.Synced() {
		return Answer{Result: NotReady, Authority: []dns.RR{v.soa(o.Spelled(n), s.Serial())}}
	}
	return v.follow(own, s, n, qtype, room)
}

// own is the part of the view that every zone has.
func (v *ExternalView) own() *View { return &View{Origins: v.Origins, TTL: v.TTL} }

// follow answers with the chain of aliases that begins at n and with what its
// last name has, which decides the result (RFC 6604).
func (v *ExternalView) follow(own *View, s *cluster.Snapshot, n *dnsname.Name, qtype uint16, room Room) Answer {
	a := Answer{Kind: KindExternal}
	for {
		o, ok := own.Origin(n)
		if !ok || n.IsReverse() && len(a.Records) > 0 {
			a.Result, a.Target = Delegate, n.String()
			return a
		}
		b := builder{view: own, snapshot: s, owner: n.String(), origin: o.Spelled(n), answer: &a, room: room}
		found := v.find(s, n, o)
		target, isAlias := aliasOf(found, qtype)
		if !isAlias {
			v.finish(&b, found, qtype)
			return a
		}
		b.add(&dns.CNAME{Hdr: b.header(dns.TypeCNAME), Target: target.String()})
		if qtype == dns.TypeCNAME || qtype == dns.TypeANY || a.closed(target.String()) {
			a.Result = Success
			return a
		}
		n = target
	}
}

// finish is that of every zone, but for the SOA record.
func (v *ExternalView) finish(b *builder, found node, qtype uint16) {
	b.finish(found, qtype)
	if len(b.answer.Authority) > 0 {
		b.answer.Authority = []dns.RR{v.soa(b.origin, b.snapshot.Serial())}
	}
}

// soa is the SOA record of an origin. The names in it are below the apex label,
// and its TTL has no bound of its own, as from stock CoreDNS.
func (v *ExternalView) soa(origin string, serial uint32) dns.RR {
	return &dns.SOA{
		Hdr:     header(origin, dns.TypeSOA, v.TTL),
		Ns:      v.belowApex(origin, "ns1"),
		Mbox:    v.belowApex(origin, "hostmaster"),
		Serial:  serial,
		Refresh: soaRefresh,
		Retry:   soaRetry,
		Expire:  soaExpire,
		Minttl:  v.TTL,
	}
}

// belowApex is a name below the apex label of an origin.
func (v *ExternalView) belowApex(origin, label string) string {
	return dnsname.Below(origin, label+"."+strings.TrimSuffix(v.Apex.String(), "."))
}

// outerApex is the top node of a zone. In a reverse zone it may be the name of an
// address too.
type outerApex struct {
	view    *ExternalView
	reverse node
}

func (x outerApex) rrset(b *builder, qtype uint16) {
	switch {
	case qtype == dns.TypeSOA:
		b.add(x.view.soa(b.origin, b.snapshot.Serial()))
	case qtype == dns.TypeNS:
		name := x.view.belowApex(b.origin, "ns1")
		b.add(&dns.NS{Hdr: b.header(dns.TypeNS), Ns: name})
		for _, a := range x.view.serversFor(b) {
			b.extra(b.address(name, a))
		}
	case x.reverse != nil:
		x.reverse.rrset(b, qtype)
	}
}

// outerServer is the name of this server.
type outerServer struct{ view *ExternalView }

func (x outerServer) rrset(b *builder, qtype uint16) {
	hosts{list: hostsAt(x.view.serversFor(b), nil)}.rrset(b, qtype)
}

// serversFor are as many name servers' addresses as there may be room for.
func (v *ExternalView) serversFor(b *builder) []netip.Addr {
	limit := b.answer.free(b.owner, b.room) / recordHead
	addrs := v.servers(b.snapshot, limit+1)
	b.answer.Truncated = b.answer.Truncated || len(addrs) > limit
	return addrs
}

// servers are the external addresses of the Services that this server is an
// endpoint of. Its own are told only where there is no such Service: a Pod's
// address is of no use outside. No more are looked at than limit.
func (v *ExternalView) servers(s *cluster.Snapshot, limit int) []netip.Addr {
	var addrs []netip.Addr
	member := false
	for _, local := range v.Cluster.Local {
		for _, svc := range s.Hosted(local, limit) {
			if !svc.HasEndpointAt(local) {
				continue
			}
			member = true
			switch shown := v.serviceNode(svc).(type) {
			case outer:
				addrs = append(addrs, shown.addrs()...)
			case group:
				addrs = append(addrs, shown.addrs(limit-len(addrs))...)
			}
		}
	}
	if !member {
		addrs = slices.Clone(v.Cluster.Local)
	}
	return unique(addrs)
}
