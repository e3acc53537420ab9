package external

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// view is what zones for the world outside the cluster show of a snapshot: Services by
// their external addresses and the hostnames of their load balancers. It must not change
// while it is in use.
type view struct {
	zones    resolve.View  // for making records
	apex     dnsname.Name  // relative to an origin; names below it are not the cluster's
	headless bool          // show Services without an external address by their endpoints
	cluster  *resolve.View // the cluster's own view: visible Namespaces, names of endpoints, the server's addresses
}

// show completes the view with the cluster that it shows. The names in the SOA record are
// below the apex label, and its TTL is not capped, as in stock CoreDNS.
func (v *view) show(c *resolve.View) {
	v.cluster = c
	v.zones.Namespaces, v.zones.PodNames = c.Namespaces, c.PodNames
	v.zones.NameServer, v.zones.Mailbox, v.zones.LongSOA = v.belowApex(serverLabel), v.belowApex(mailboxLabel), true
}

// lookup answers a question from a snapshot, as answer.Lookup does.
func (v *view) lookup(s *cluster.Snapshot, n *dnsname.Name, qtype uint16, limits answer.Limits) answer.Answer {
	locate := func(s *cluster.Snapshot, n *dnsname.Name, o *resolve.Origin) resolve.Match {
		m := v.locate(s, n, o)
		if m.Kind == resolve.AtApex || m.Kind == resolve.AtNameServer {
			m.Servers = v.servers(s, max(0, limits.Size)/answer.MinRecord)
		}
		return m
	}
	return answer.LookupBy(locate, &v.zones, s, n, qtype, limits)
}

// covers returns how much of an answer the view covers. It makes no record, and allocates
// nothing.
func (v *view) covers(s *cluster.Snapshot, fall dnsname.Zones, qname string, qtype uint16) chain.Coverage {
	memory := names.Get().(*dnsname.WireName)
	defer names.Put(memory)
	name, err := memory.ParseText(qname)
	if err != nil {
		return chain.CoversNothing
	}
	result, last := v.zones.OutcomeBy(v.locate, s, name, qtype)
	return chain.CoverageOf(result, qtype, fall, last)
}

// serverLabel is the label of the name server, below the apex label.
const serverLabel = "ns1"

// mailboxLabel is the label of the mailbox in the SOA record.
const mailboxLabel = "hostmaster"

// belowApex returns a label below the apex label.
func (v *view) belowApex(label string) string {
	return label + "." + strings.TrimSuffix(v.apex.String(), ".")
}

// servers returns the external addresses of the Services that this server is an endpoint
// of. Only without such a Service it returns the server's own addresses, because a Pod's
// address is useless outside. It looks at no more than limit Services.
func (v *view) servers(s *cluster.Snapshot, limit int) []netip.Addr {
	var addrs []netip.Addr
	member := false
	for _, local := range v.cluster.Local {
		for _, svc := range s.Hosted(local, limit) {
			member = true
			addrs = append(addrs, v.addrsOf(svc, limit-len(addrs))...)
		}
	}
	if !member {
		addrs = slices.Clone(v.cluster.Local)
	}
	return cluster.Distinct(addrs)
}

// addrsOf returns the addresses with which a Service is shown, up to limit of them.
func (v *view) addrsOf(svc *cluster.ServiceNode, limit int) []netip.Addr {
	m := v.locateOwn(svc)
	if m.Kind != resolve.AtEndpoints {
		if m.Kind == resolve.AtExternalIP {
			return svc.Service.ExternalIPs
		}
		return nil
	}
	var addrs []netip.Addr
	m.Subset.Each(svc, func(_ int, slice *cluster.Slice, i int) bool {
		if len(addrs) >= limit {
			return false
		}
		addrs = append(addrs, slice.Endpoints.Addr(i))
		return true
	})
	return addrs
}
