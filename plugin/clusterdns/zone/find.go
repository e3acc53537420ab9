package zone

// find is the node of a name below an origin, or nil if the name does not exist.
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
func (v *View) find(s *Snapshot, n *Name, o Origin) node {
	rest := n.count - o.labels
	switch {
	case rest == 0 && o.reverse:
		return apex{v.findReverse(s, n)}
	case rest == 0:
		return apex{}
	case isReverse(n):
		return v.findReverse(s, n)
	case n.folded == arpa && s.Counts().Addresses > 0:
		return bare{}
	}
	switch n.label(rest - 1) {
	case "svc":
		return v.findService(s, n, o, rest-1)
	case "pod":
		return v.findPod(s, n, rest-1)
	case "dns":
		return findServer(n, rest-1)
	case "dns-version":
		if rest == 1 {
			return text{}
		}
	}
	return nil
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
func (v *View) findPod(s *Snapshot, n *Name, rest int) node {
	if rest == 0 {
		return bare{}
	}
	namespace := n.label(rest - 1)
	if v.Pods == PodsDisabled || !v.exposes(s, namespace) {
		return nil
	}
	if rest == 1 {
		return bare{}
	}
	addr, ok := parseDashed(n.label(0))
	if rest > 2 || !ok {
		return nil
	}
	if v.Pods == PodsVerified && !s.hasPod(located[string]{addr, namespace}) {
		return nil
	}
	return hosts{list: []host{{addr: addr}}}
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
