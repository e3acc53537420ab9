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
func (v *View) Locate(s *cluster.Snapshot, n *dnsname.Name, o *Origin) (m Match) {
	v.LocateInto(&m, s, n, o)
	return m
}

// LocateInto does the same as Locate, in an empty Match, because a Match is too large to be
// copied for each question.
func (v *View) LocateInto(m *Match, s *cluster.Snapshot, n *dnsname.Name, o *Origin) {
	rest := n.Labels() - o.Labels()
	switch {
	case rest == 0:
		*m = LocateApex(n, o)
		return
	case n.IsReverse():
		locateReverse(m, s, n)
		return
	case n.Wire() == dnsname.Arpa && s.Counts().Addresses > 0:
		m.Kind, m.Name = EmptyNonTerminal, KindReverse
		return
	}
	m.Name = KindZone
	switch n.Label(rest - 1) {
	case "svc":
		v.locateService(m, s, n, o, rest-1)
	case "pod":
		v.locatePod(m, s, n, rest-1)
	case "dns":
		locateServer(m, n, rest-1)
	case "dns-version":
		if rest == 1 {
			m.Kind = AtVersion
		}
	}
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
func locateServer(m *Match, n *dnsname.Name, rest int) {
	switch {
	case rest == 0:
		m.Kind = EmptyNonTerminal
	case rest == 1 && n.Label(0) == "ns":
		m.Kind = AtNameServer
	}
}

// locatePod finds the names below pod; rest is the number of labels before pod.
func (v *View) locatePod(m *Match, s *cluster.Snapshot, n *dnsname.Name, rest int) {
	if rest == 0 {
		m.Kind = EmptyNonTerminal
		return
	}
	m.Name = KindPod
	if v.Pods == PodsDisabled {
		return
	}
	namespace := n.Label(rest - 1)
	if !v.Exposes(s, namespace) {
		m.Name = KindNamespace
		return
	}
	if rest == 1 {
		m.Kind, m.Name = EmptyNonTerminal, KindNamespace
		return
	}
	addr, ok := dnsname.ParseDashed(n.Label(0))
	if rest > 2 || !ok || v.Pods == PodsVerified && !s.HasPod(addr, namespace) {
		return
	}
	m.Kind, m.Addr = AtPod, addr
}
