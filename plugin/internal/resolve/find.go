package resolve

import (
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Locate finds what a name in one of the view's origins stands for. It allocates nothing.
//
//	<origin>                                   AtApex
//	dns-version.<origin>                       AtVersion
//	ns.dns.<origin>                            AtNameServer
//	<service>.<namespace>.svc.<origin>         AtClusterIP, AtEndpoints or AtAlias
//	<endpoint>.<service>.<namespace>.svc...    AtEndpoints
//	_<port>._<protocol>.<service>...           AtClusterIP or AtEndpoints
//	<zone>.pin|prefer._zone.<service>...       AtEndpoints, where the view is zonal
//	<endpoint>.<cluster>.<service>...          AtEndpoints, in an origin of the cluster set
//	<a-b-c-d>.<namespace>.pod.<origin>         AtPod
//	<d>.<c>.<b>.<a>.in-addr.arpa               AtAddress
func (v *View) Locate(s *cluster.Snapshot, n *dnsname.Name, o *Origin) Match {
	rest := n.Labels() - o.Labels()
	switch {
	case rest == 0:
		return LocateApex(n, o)
	case n.IsReverse():
		return locateReverse(s, n)
	case n.Wire() == dnsname.Arpa && s.Counts().Addresses > 0:
		return Match{Kind: EmptyNonTerminal, Name: KindReverse}
	}
	switch n.Label(rest - 1) {
	case "svc":
		return v.locateService(s, n, o, rest-1)
	case "pod":
		return v.locatePod(s, n, rest-1)
	case "dns":
		return locateServer(n, rest-1)
	case "dns-version":
		if rest == 1 {
			return Match{Kind: AtVersion, Name: KindZone}
		}
	}
	return Match{Name: KindZone}
}

// LocateApex returns the match of an origin itself. The apex of a reverse zone may also be
// the reverse name of an address: a network whose prefix does not end between two labels is
// served as several zones, each of which may be one address.
func LocateApex(n *dnsname.Name, o *Origin) Match {
	m := Match{Kind: AtApex, Name: KindZone}
	if o.Reverse() {
		if prefix, ok := dnsname.ReversePrefix(n); ok && prefix.IsSingleIP() {
			m.Addr = prefix.Addr()
		}
	}
	return m
}

// locateServer finds the name ns.dns and the empty non-terminal dns above it.
func locateServer(n *dnsname.Name, rest int) Match {
	switch {
	case rest == 0:
		return Match{Kind: EmptyNonTerminal, Name: KindZone}
	case rest == 1 && n.Label(0) == "ns":
		return Match{Kind: AtNameServer, Name: KindZone}
	}
	return Match{Name: KindZone}
}

// locatePod finds the names below pod; rest is the number of labels before pod.
func (v *View) locatePod(s *cluster.Snapshot, n *dnsname.Name, rest int) Match {
	if rest == 0 {
		return Match{Kind: EmptyNonTerminal, Name: KindZone}
	}
	namespace := n.Label(rest - 1)
	if v.Pods == PodsDisabled {
		return Match{Name: KindPod}
	}
	if !v.Exposes(s, namespace) {
		return Match{Name: KindNamespace}
	}
	if rest == 1 {
		return Match{Kind: EmptyNonTerminal, Name: KindNamespace}
	}
	addr, ok := dnsname.ParseDashed(n.Label(0))
	if rest > 2 || !ok {
		return Match{Name: KindPod}
	}
	if v.Pods == PodsVerified && !s.HasPod(addr, namespace) {
		return Match{Name: KindPod}
	}
	return Match{Kind: AtPod, Name: KindPod, Addr: addr}
}
