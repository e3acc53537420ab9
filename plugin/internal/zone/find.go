package zone

import (
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// find is the node of a name below an origin, or nil if the name does not exist,
// and what kind of name it is.
//
//	<origin>                                   apex
//	dns-version.<origin>                       text
//	ns.dns.<origin>                            nameserver
//	<service>.<namespace>.svc.<origin>         hosts or alias
//	<endpoint>.<service>.<namespace>.svc...    hosts
//	_<port>._<protocol>.<service>...           hosts
//	<zone>.pin|prefer._zone.<service>...       hosts, where the view is zonal
//	<endpoint>.<cluster>.<service>...          hosts, in an origin of the cluster set
//	<a-b-c-d>.<namespace>.pod.<origin>         hosts
//	<d>.<c>.<b>.<a>.in-addr.arpa               pointer
func (v *View) find(s *cluster.Snapshot, n *dnsname.Name, o Origin) (node, NameKind) {
	p := v.locate(s, n, &o)
	return v.node(s, &p), p.name
}

// locate finds what find does, without allocating anything.
func (v *View) locate(s *cluster.Snapshot, n *dnsname.Name, o *Origin) place {
	rest := n.Labels() - o.Labels()
	switch {
	case rest == 0 && o.Reverse():
		return otherwise(apex{v.findReverse(s, n)}, KindZone)
	case rest == 0:
		return place{kind: atApex, name: KindZone}
	case n.IsReverse():
		return locateReverse(s, n)
	case n.Wire() == dnsname.Arpa && s.Counts().Addresses > 0:
		return place{kind: atEmpty, name: KindReverse}
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
			return place{kind: atText, name: KindZone}
		}
	}
	return place{name: KindZone}
}

// locateServer finds ns.dns and the empty non-terminal above it.
func locateServer(n *dnsname.Name, rest int) place {
	switch {
	case rest == 0:
		return place{kind: atEmpty, name: KindZone}
	case rest == 1 && n.Label(0) == "ns":
		return place{kind: atServer, name: KindZone}
	}
	return place{name: KindZone}
}

// locatePod finds the names below pod; rest is the number of labels before it.
func (v *View) locatePod(s *cluster.Snapshot, n *dnsname.Name, rest int) place {
	if rest == 0 {
		return place{kind: atEmpty, name: KindZone}
	}
	namespace := n.Label(rest - 1)
	if v.Pods == PodsDisabled {
		return place{name: KindPod}
	}
	if !v.exposes(s, namespace) {
		return place{name: KindNamespace}
	}
	if rest == 1 {
		return place{kind: atEmpty, name: KindNamespace}
	}
	addr, ok := dnsname.ParseDashed(n.Label(0))
	if rest > 2 || !ok {
		return place{name: KindPod}
	}
	if v.Pods == PodsVerified && !s.HasPod(addr, namespace) {
		return place{name: KindPod}
	}
	return place{kind: atPod, name: KindPod, addr: addr}
}
