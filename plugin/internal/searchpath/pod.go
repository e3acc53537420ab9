package searchpath

import (
	"slices"
	"strings"
)

// The defaults of kubelet and of resolvers where a Pod has no setting (Kubernetes:
// dnsPolicy and dnsConfig; resolv.conf(5)).
const (
	clusterNdots = 5
	defaultNdots = 1
	// maxSuffixes is the largest number of suffixes that kubelet gives to a Pod, including
	// the suffix of its own Namespace.
	maxSuffixes = 32
)

// The values of dnsPolicy of Pods that ask the cluster's DNS.
const (
	clusterFirst            = "ClusterFirst"
	clusterFirstWithHostNet = "ClusterFirstWithHostNet"
	none                    = "None"
)

// Settings are the settings of a Pod's stub resolver.
type Settings struct {
	Policy   string   // dnsPolicy
	Searches []string // dnsConfig.searches, in wire form and lower case
	Ndots    int      // the option ndots of dnsConfig.options, or -1 if not set
}

// Unset is what a Pod without settings has.
var Unset = Settings{Policy: clusterFirst, Ndots: -1}

// Fill replaces l by the list of a Pod and reuses its memory. It reports false for a Pod
// whose search path does not begin with the suffix of its own Namespace: its questions
// cannot be told from names that are meant as they stand.
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
	l.elements = slices.DeleteFunc(l.elements, func(e Element) bool { return p.owns(namespace, e.Suffix) }) // the client has asked for this one
	l.elements = l.elements[:min(len(l.elements), maxSuffixes-1)]
	l.add(root, AsIs)
	return true
}

// owns reports whether a suffix is that of the Namespace.
func (p *Path) owns(namespace, suffix string) bool {
	own, ok := strings.CutSuffix(suffix, p.service)
	return ok && len(own) == 1+len(namespace) && int(own[0]) == len(namespace) && own[1:] == namespace
}

// addNdots sets the default if the Pod has no setting. The least is one, because every
// searched name has a dot.
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
