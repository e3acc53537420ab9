package answer

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// ExternalView is what zones for the world outside the cluster show of a snapshot:
// Services by their external addresses and the hostnames of their load balancers.
// It is not changed while it is in use.
type ExternalView struct {
	Origins  []resolve.Origin
	Apex     dnsname.Name  // relative to an origin: what is below it is not the cluster's
	TTL      uint32        // of every record, in seconds
	Headless bool          // Services without an external address are shown by their endpoints
	Cluster  *resolve.View // the cluster's own: Namespaces shown, names of endpoints, the server's addresses
}

// Lookup answers a question from a snapshot, as the function Lookup does.
func (v *ExternalView) Lookup(s *cluster.Snapshot, n *dnsname.Name, qtype uint16, limits Limits) Answer {
	locate := func(s *cluster.Snapshot, n *dnsname.Name, o *resolve.Origin) resolve.Match {
		m := v.locate(s, n, o)
		if m.Kind == resolve.AtApex || m.Kind == resolve.AtNameServer {
			m.Servers = v.servers(s, max(0, limits.Size)/recordHead)
		}
		return m
	}
	return LookupBy(locate, v.view(), s, n, qtype, limits)
}

// view is the part that every zone has. The names in the SOA record are below the apex
// label, and its TTL has no bound of its own, as from stock CoreDNS.
func (v *ExternalView) view() *resolve.View {
	return &resolve.View{
		Origins: v.Origins, TTL: v.TTL, Namespaces: v.Cluster.Namespaces, PodNames: v.Cluster.PodNames,
		NameServer: v.belowApex(serverLabel), Mailbox: v.belowApex(mailboxLabel), LongSOA: true,
	}
}

// serverLabel is that of the name server, below the apex label.
const serverLabel = "ns1"

// mailboxLabel is that of the mailbox in the SOA record.
const mailboxLabel = "hostmaster"

// belowApex is a label below the apex label.
func (v *ExternalView) belowApex(label string) string {
	return label + "." + strings.TrimSuffix(v.Apex.String(), ".")
}

// servers are the external addresses of the Services that this server is an
// endpoint of. Its own are told only where there is no such Service: a Pod's
// address is of no use outside. No more are looked at than limit.
func (v *ExternalView) servers(s *cluster.Snapshot, limit int) []netip.Addr {
	var addrs []netip.Addr
	member := false
	for _, local := range v.Cluster.Local {
		for _, svc := range s.Hosted(local, limit) {
			member = true
			addrs = append(addrs, v.addrsOf(svc, limit-len(addrs))...)
		}
	}
	if !member {
		addrs = slices.Clone(v.Cluster.Local)
	}
	return resolve.Distinct(addrs)
}

// addrsOf are the addresses that a Service is shown with, but no more than limit.
func (v *ExternalView) addrsOf(svc *cluster.ServiceNode, limit int) []netip.Addr {
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
