package searchpath

import (
	"slices"
	"strings"
)

// What kubelet and resolvers do where a Pod says nothing (Kubernetes: dnsPolicy and
// dnsConfig; resolv.conf(5)).
const (
	clusterNdots = 5
	defaultNdots = 1
	// maxSuffixes is how many suffixes kubelet lets a Pod have, its own one included.
	maxSuffixes = 32
)

// The values of dnsPolicy with which Pods ask the cluster's DNS.
const (
	clusterFirst            = "ClusterFirst"
	clusterFirstWithHostNet = "ClusterFirstWithHostNet"
	none                    = "None"
)

// Settings is what a Pod says of its own stub resolver.
type Settings struct {
	Policy   string   // dnsPolicy
	Searches []string // dnsConfig.searches, in wire form and lower case
	Ndots    int      // dnsConfig.options, or -1
}

// Unset are the settings of a Pod that says nothing.
var Unset = Settings{Policy: clusterFirst, Ndots: -1}

// Fill makes l the list of a Pod, in the memory that it has. It fails for one whose
// search path does not begin with the suffix of its own Namespace: what such a Pod
// asks for cannot be told from what it means as it stands.
func (p *Path) Fill(l *List, namespace string, s *Settings) bool {
	*l = List{elements: l.elements[:0], outside: p.outside, ndots: s.Ndots}
	switch s.Policy {
	case clusterFirst, clusterFirstWithHostNet:
		l.addNdots(clusterNdots)
		p.addCluster(l)
		l.addPod(s.Searches)
	case none:
		l.addNdots(defaultNdots)
		if len(s.Searches) == 0 || !p.owns(namespace, s.Searches[0]) {
			return false
		}
		l.addPod(s.Searches[1:])
	default:
		return false
	}
	l.elements = slices.DeleteFunc(l.elements, func(e Element) bool { return p.owns(namespace, e.Suffix) }) // it has been asked for
	l.elements = l.elements[:min(len(l.elements), maxSuffixes-1)]
	l.add(root, AsIs)
	return true
}

// owns reports whether a suffix is that of a Namespace.
func (p *Path) owns(namespace, suffix string) bool {
	own, ok := strings.CutSuffix(suffix, p.service)
	return ok && len(own) == 1+len(namespace) && int(own[0]) == len(namespace) && own[1:] == namespace
}

// addNdots takes the default where the Pod says nothing. No searched name has fewer
// dots than one.
func (l *List) addNdots(unset int) {
	if l.ndots < 0 {
		l.ndots = unset
	}
	l.ndots = max(l.ndots, 1)
}

func (l *List) addPod(suffixes []string) {
	for _, suffix := range suffixes {
		l.add(strings.ToLower(suffix), Pod)
	}
}
