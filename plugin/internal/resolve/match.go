package resolve

import (
	"net/netip"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Match is what a name stands for, as data. Look-ups decide existence here, once for every
// form of an answer.
type Match struct {
	Kind    MatchKind
	Name    NameKind
	Service *cluster.ServiceNode
	Subset  Subset     // which endpoints or ports of the Service
	Addr    netip.Addr // the address of a Pod or of a reverse name, the apex of a reverse zone included

	// Servers are the addresses of this server in an external zone, at the apex and at the
	// name of the server. Second are those of the view's second server.
	Servers, Second []netip.Addr

	Published *cluster.Published // what a published name has, or the zone cut
	BelowCut  bool               // the name is below the zone cut
}

// MatchKind says what a name stands for.
type MatchKind uint8

// The kinds of match.
const (
	NoName           MatchKind = iota // the name does not exist
	EmptyNonTerminal                  // a name that only has names below it (RFC 8020)
	AtApex                            // the apex of a zone
	AtVersion                         // dns-version
	AtNameServer                      // ns.dns
	AtAlias                           // an ExternalName Service
	AtClusterIP                       // the ClusterIPs of a Service
	AtExternalIP                      // the addresses and hostnames of a Service outside the cluster
	AtEndpoints                       // endpoints of a Service
	AtPod                             // an address below pod
	AtAddress                         // a reverse name, whether or not anything has the address
	AtPublished                       // a name that the cluster publishes
	AtDelegation                      // a zone cut, or a name below one
)

// Refers reports whether a question is for the servers of a delegated zone (RFC 1034 4.3.2, step 3b). DS
// records of the cut are those of the zone above (RFC 4035 3.1.4.1).
func (m *Match) Refers(qtype uint16) bool {
	return m.Kind == AtDelegation && (m.BelowCut || qtype != typeDS)
}

// IsAlias reports whether the name is an alias, even of a text that is not a domain name.
func (m *Match) IsAlias() bool {
	return m.Kind == AtAlias || m.Kind == AtPublished && m.Published.Alias != ""
}

// Target returns the name that an alias leads to. It returns nil if the match is not an
// alias or its target is not a domain name.
//
// In an external zone, a Service with addresses is not an alias, and of several hostnames
// the first is the target. SRV records name all hostnames, so a question for SRV gets them
// in place of the alias, as from stock CoreDNS.
func (m *Match) Target(srv bool) *dnsname.Name {
	switch {
	case m.Kind == AtAlias:
		return nameOrNil(m.Service.Service.Target)
	case m.Kind == AtPublished:
		return nameOrNil(m.Published.Alias)
	case m.Kind != AtExternalIP || srv || len(m.Service.Service.ExternalIPs) > 0:
		return nil
	}
	return nameOrNil(m.Service.Service.ExternalHosts[0])
}

// leadsOut reports whether SRV records there lead to hostnames of load balancers.
func (m *Match) leadsOut() bool {
	return m.Kind == AtExternalIP && len(m.Service.Service.ExternalHosts) > 0 && len(m.Service.Service.Ports) > 0
}

// nameOrNil parses a domain name. It returns nil for any other text.
func nameOrNil(text string) *dnsname.Name {
	n, err := dnsname.Parse(text)
	if text == "" || err != nil {
		return nil
	}
	return &n
}
