package differential

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// pulled is a zone as both servers transfer it.
type pulled struct {
	*scene
	zone        string
	qtype       uint16
	stock, ours *transfer
	later       bool                                     // the question is for the news since stock's last serial
	whole       *transfer                                // stock's transfer of the whole zone
	lookup      func(name string, qtype uint16) []dns.RR // our look-ups
}

// transferMatcher turns stock's transfer into the one that we send instead, for the reason
// in an entry of the list.
type transferMatcher struct {
	number, question string
	change           func(c *pulled, stock *transfer) *transfer
}

// records makes a matcher from a function that looks at the records alone.
func records(change func(c *pulled, rrs []dns.RR) []dns.RR) func(*pulled, *transfer) *transfer {
	return func(c *pulled, stock *transfer) *transfer {
		return &transfer{problem: stock.problem, records: change(c, stock.records)}
	}
}

// about reports whether an entry of the matcher's section can explain the transfer.
func (m *transferMatcher) about(c *pulled) bool {
	return strings.HasPrefix(m.question, ofExternal) == c.external
}

var transferMatchers = slices.Concat(clusterTransfers, externalTransfers)

// clusterTransfers are applied in this order.
var clusterTransfers = []transferMatcher{
	{"", "transfer of a zone that has a label too long for a message", withoutLongLabels},
	{"D18", "transfer of a name below a zone, or of a reverse zone", noZone},
	{"D18", "addresses of the name servers in a transfer", records(serversTTL)},
	{"D17", "EndpointSlice of address type FQDN", records(withoutTarget)},
	{"", "a port of an EndpointSlice without a number, or with the number 0", records(withoutNumber)},
	{"", "ExternalName that is an IPv4 address with a dot at its end", records(withoutLiterals)},
	{"D15", "`endpoint_pod_names`: an endpoint that stands for a Pod whose name has dots", records(withoutDots)},
	{"", "NS and `ns.dns` of a server that listens on all addresses", records(withoutOwnLink)},
	{"", "transfer of a zone of `multicluster`", inSet},
	{"", "weight of SRV records in a transfer", records(lookupWeights)},
	{"", "records of a transfer that are the same", records(eachOnce)},
}

// withoutLongLabels accepts our transfer if stock has failed. Other Corefiles, which do not
// show the long labels, compare the other records.
func withoutLongLabels(c *pulled, stock *transfer) *transfer {
	if failed(stock) && c.isZone() && c.ours.problem == nil && (c.longPort() || c.longAlias()) {
		return c.ours
	}
	return stock
}

// longPort reports whether a port's name is as long as a label, without the underscore.
func (c *pulled) longPort() bool {
	return slices.ContainsFunc(c.world.slices, func(slice *endpointSlice) bool {
		service := c.world.service(serviceName(slice), slice.Namespace)
		return service != nil && headless(service) && c.visible(slice.Namespace) && len(readyAddrs(slice)) > 0 &&
			slices.ContainsFunc(slice.Ports, func(port slicePort) bool { return len(valueOf(port.Name)) == 63 })
	})
}

func (c *pulled) longAlias() bool {
	for _, service := range c.world.services {
		if alias(service) && overlong(service.Spec.ExternalName) && c.visible(service.Namespace) {
			return true
		}
	}
	return false
}

func failed(t *transfer) bool { return t.problem != nil && t.problem.Error() == errFailed.Error() }

// isZone reports whether the question is for a forward zone.
func (c *pulled) isZone() bool {
	p, ok := c.locate(c.zone)
	return ok && !p.reverse && len(p.labels) == 0
}

// noZone expects a refusal for a name below a zone, and for reverse zones.
func noZone(c *pulled, stock *transfer) *transfer {
	p, ok := c.locate(c.zone)
	if ok && (p.reverse || len(p.labels) > 0) && (stock.problem == nil || failed(stock)) {
		return &transfer{problem: errRefused}
	}
	return stock
}

// serversTTL gives the zone's TTL to addresses with TTL 0.
func serversTTL(c *pulled, rrs []dns.RR) []dns.RR {
	var changed []dns.RR
	for _, rr := range rrs {
		if h := rr.Header(); h.Ttl == 0 && isAddress(h.Rrtype) {
			rr = dns.Copy(rr)
			rr.Header().Ttl = c.ttl
		}
		changed = append(changed, rr)
	}
	return changed
}

// without returns the list without the chosen records.
func without[T dns.RR](rrs []dns.RR, chosen func(T) bool) []dns.RR {
	return slices.DeleteFunc(slices.Clone(rrs), func(rr dns.RR) bool {
		typed, ok := rr.(T)
		return ok && chosen(typed)
	})
}

// withoutTarget removes the ports of endpoints whose address is a domain name.
func withoutTarget(c *pulled, rrs []dns.RR) []dns.RR {
	return without(rrs, func(srv *dns.SRV) bool {
		p, _ := c.locate(srv.Hdr.Name)
		n := len(p.labels)
		return srv.Target == "." && n == 5 && len(c.world.namedEndpoints(p.labels[2], p.labels[3])) > 0
	})
}

// withoutNumber removes ports without a number. Stock gives them the number -1.
func withoutNumber(c *pulled, rrs []dns.RR) []dns.RR {
	return without(rrs, func(srv *dns.SRV) bool {
		p, _ := c.locate(srv.Hdr.Name)
		if len(p.labels) != 5 || srv.Port != 0 && srv.Port != 0xffff {
			return false
		}
		port := [2]string{strings.TrimPrefix(p.labels[0], "_"), strings.TrimPrefix(p.labels[1], "_")}
		return c.world.numberless(p.labels[2], p.labels[3])[port]
	})
}

func withoutOwnLink(_ *pulled, rrs []dns.RR) []dns.RR {
	return without(rrs, func(six *dns.AAAA) bool {
		return six.AAAA.IsLinkLocalUnicast() && strings.HasPrefix(six.Hdr.Name, "ns.dns.")
	})
}

// inSet names the endpoints of a cluster set as we do, if they are the same without their
// clusters, and gives the zone the name servers of look-ups.
func inSet(c *pulled, stock *transfer) *transfer {
	if c.scene == c.main || c.lookup == nil || len(stock.records) < 2 {
		return stock
	}
	servers := map[string]bool{}
	for _, rr := range stock.records {
		if ns, ok := rr.(*dns.NS); ok {
			servers[ns.Ns] = true
		}
	}
	ours := map[string][]dns.RR{}
	for _, rr := range c.ours.records {
		short := text(c.withoutCluster(rr))
		ours[short] = append(ours[short], rr)
	}
	var changed []dns.RR
	for _, rr := range stock.records {
		h := rr.Header()
		named, known := ours[text(rr)]
		switch {
		case h.Rrtype == dns.TypeNS || servers[h.Name]:
		case h.Rrtype != dns.TypeSOA && known:
			changed = append(changed, named...)
			ours[text(rr)] = nil // of two clusters stock has the same once more
		default:
			changed = append(changed, rr)
		}
	}
	zone := strings.ToLower(c.zone)
	changed = append(changed, c.lookup(zone, dns.TypeNS)...)
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
		changed = append(changed, c.lookup("ns.dns."+zone, qtype)...)
	}
	return &transfer{records: changed}
}

// withoutCluster returns a record with the endpoint's name without its cluster.
func (c *pulled) withoutCluster(rr dns.RR) dns.RR {
	rr = dns.Copy(rr)
	rr.Header().Name = c.shortened(rr.Header().Name)
	if srv, ok := rr.(*dns.SRV); ok {
		srv.Target = c.shortened(srv.Target)
	}
	return rr
}

func (c *pulled) shortened(name string) string {
	p, _ := c.locate(name)
	if len(p.labels) != 5 || strings.HasPrefix(p.labels[1], "_") {
		return name
	}
	return strings.Join(slices.Delete(p.labels, 1, 2), ".") + "." + p.origin
}

func withoutLiterals(_ *pulled, rrs []dns.RR) []dns.RR {
	return without(rrs, func(cname *dns.CNAME) bool {
		_, err := netip.ParseAddr(strings.TrimSuffix(cname.Target, "."))
		return err == nil
	})
}

// withoutDots names endpoints after their addresses.
func withoutDots(c *pulled, rrs []dns.RR) []dns.RR {
	if !c.podNames {
		return rrs
	}
	names := map[string]string{}
	for _, e := range c.dottedEndpoints() {
		names[e.stock] = e.ours
	}
	var changed []dns.RR
	for _, rr := range rrs {
		rr = dns.Copy(rr)
		rename(rr, names)
		changed = append(changed, rr)
	}
	return changed
}

// lookupWeights gives SRV records the weights of look-ups if they lead to a Service with
// addresses of both families, or differ within one RRset.
func lookupWeights(c *pulled, rrs []dns.RR) []dns.RR {
	types, weights := map[string]map[uint16]bool{}, map[string]map[uint16]bool{}
	add := func(to map[string]map[uint16]bool, name string, value uint16) {
		if to[name] == nil {
			to[name] = map[uint16]bool{}
		}
		to[name][value] = true
	}
	for _, rr := range rrs {
		add(types, rr.Header().Name, rr.Header().Rrtype)
		if srv, ok := rr.(*dns.SRV); ok {
			add(weights, srv.Hdr.Name, srv.Weight)
		}
	}
	changed := slices.Clone(rrs)
	for i, rr := range changed {
		srv, ok := rr.(*dns.SRV)
		if !ok || c.lookup == nil {
			continue
		}
		both := types[srv.Target][dns.TypeA] && types[srv.Target][dns.TypeAAAA] && strings.HasSuffix(srv.Hdr.Name, srv.Target)
		if both || len(weights[srv.Hdr.Name]) > 1 {
			changed[i] = c.withLookupWeight(srv)
		}
	}
	return changed
}

func (c *pulled) withLookupWeight(srv *dns.SRV) dns.RR {
	for _, rr := range c.lookup(srv.Hdr.Name, dns.TypeSRV) {
		if found, ok := rr.(*dns.SRV); ok && found.Port == srv.Port && strings.EqualFold(found.Target, srv.Target) {
			weighted := *srv
			weighted.Weight = found.Weight
			return &weighted
		}
	}
	return srv
}

// eachOnce removes repeated records, except the SOA record at the end.
func eachOnce(_ *pulled, rrs []dns.RR) []dns.RR {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(rrs), func(rr dns.RR) bool {
		if rr.Header().Rrtype == dns.TypeSOA {
			return false
		}
		before := seen[text(rr)]
		seen[text(rr)] = true
		return before
	})
}
