package zone

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
func (v *View) find(s *Snapshot, n *Name, o Origin) (node, NameKind) {
	rest := n.count - o.labels
	switch {
	case rest == 0 && o.reverse:
		return apex{v.findReverse(s, n)}, KindZone
	case rest == 0:
		return apex{}, KindZone
	case isReverse(n):
		return v.findReverse(s, n), KindReverse
	case n.folded == arpa && s.Counts().Addresses > 0:
		return bare{}, KindReverse
	}
	switch n.label(rest - 1) {
	case "svc":
		return v.findService(s, n, o, rest-1)
	case "pod":
		return v.findPod(s, n, rest-1)
	case "dns":
		return findServer(n, rest-1), KindZone
	case "dns-version":
		if rest == 1 {
			return text{}, KindZone
		}
	}
	return nil, KindZone
}

// findServer finds ns.dns and the empty non-terminal above it.
func findServer(n *Name, rest int) node {
	switch {
	case rest == 0:
		return bare{}
	case rest == 1 && n.label(0) == "ns":
		return nameserver{}
	}
	return nil
}

// findPod finds the names below pod; rest is the number of labels before it.
func (v *View) findPod(s *Snapshot, n *Name, rest int) (node, NameKind) {
	if rest == 0 {
		return bare{}, KindZone
	}
	namespace := n.label(rest - 1)
	if v.Pods == PodsDisabled {
		return nil, KindPod
	}
	if !v.exposes(s, namespace) {
		return nil, KindNamespace
	}
	if rest == 1 {
		return bare{}, KindNamespace
	}
	addr, ok := parseDashed(n.label(0))
	if rest > 2 || !ok {
		return nil, KindPod
	}
	if v.Pods == PodsVerified && !s.hasPod(located[string]{addr, namespace}) {
		return nil, KindPod
	}
	return hosts{list: []host{{addr: addr}}}, KindPod
}

// hasPod says whether a Pod of the Namespace has the address.
func (s *Snapshot) hasPod(want located[string]) bool {
	for p := range s.pods.at(want.addr) {
		if p.Namespace == want.ref {
			return true
		}
	}
	return false
}
