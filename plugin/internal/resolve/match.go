package resolve

import (
	"net/netip"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Match is what a name stands for, as data: it is found without allocating anything.
// Existence is decided here, once, for every form that an answer may have.
type Match struct {
	Kind    MatchKind
	Name    NameKind
	Service *cluster.ServiceNode
	Subset  Subset     // of the Service's endpoints, or of its ports
	Addr    netip.Addr // of a Pod, of a reverse name, or of the top of a reverse zone that is one

	// Servers are this server's addresses in an external zone, at its top and at the name
	// of the server.
	Servers []netip.Addr
}

// MatchKind is the kind of what a name stands for.
type MatchKind uint8

// The kinds of what a name stands for.
const (
	NoName           MatchKind = iota // there is no such name
	EmptyNonTerminal                  // a name that only has names below it (RFC 8020)
	AtApex                            // the top of a zone
	AtVersion                         // dns-version
	AtNameServer                      // ns.dns
	AtAlias                           // a Service that is another name
	AtClusterIP                       // the ClusterIPs of a Service
	AtExternalIP                      // the addresses and hostnames that a Service has outside the cluster
	AtEndpoints                       // endpoints of a Service
	AtPod                             // an address below pod
	AtAddress                         // a reverse name, of what may be nobody's address
)

// Target returns the name that an alias leads to, nil for what is no alias or leads to
// no name.
//
// In an external zone, an alias gives way to addresses, and of several hostnames the first
// counts. SRV records name all of them, so that type has them in place of the alias, as
// from stock CoreDNS.
func (m *Match) Target(srv bool) *dnsname.Name {
	switch {
	case m.Kind == AtAlias:
		return nameOrNil(m.Service.Service.Target)
	case m.Kind != AtExternalIP || srv || len(m.Service.Service.ExternalIPs) > 0:
		return nil
	}
	return nameOrNil(m.Service.Service.ExternalHosts[0])
}

// nameOrNil is nil for a text that is no domain name.
func nameOrNil(text string) *dnsname.Name {
	n, err := dnsname.Parse(text)
	if text == "" || err != nil {
		return nil
	}
	return &n
}
