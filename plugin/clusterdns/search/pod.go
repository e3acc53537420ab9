package search

import "strings"

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

// Of is the list of a Pod. It fails for one whose search path does not begin with
// the suffix of its own Namespace: what such a Pod asks for cannot be told from
// what it means as it stands.
func (p *Path) Of(namespace string, s *Settings) (List, bool) {
	l := List{outside: p.outside, ndots: s.Ndots}
	own := string([]byte{byte(len(namespace))}) + namespace + svcLabel + p.origin
	switch s.Policy {
	case clusterFirst, clusterFirstWithHostNet:
		l.addNdots(clusterNdots)
		p.addCluster(&l)
		l.addPod(s.Searches)
	case none:
		l.addNdots(defaultNdots)
		if len(s.Searches) == 0 || s.Searches[0] != own {
			return List{}, false
		}
		l.addPod(s.Searches[1:])
	default:
		return List{}, false
	}
	l.drop(own)
	l.elements = l.elements[:min(len(l.elements), maxSuffixes-1)]
	l.add(root, AsIs)
	return l, true
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

// drop leaves out a suffix that has been asked for.
func (l *List) drop(suffix string) {
	kept := l.elements[:0]
	for _, e := range l.elements {
		if e.Suffix != suffix {
			kept = append(kept, e)
		}
	}
	l.elements = kept
}
