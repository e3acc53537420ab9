package searchpath

import "slices"

// Position is where in a search path an element comes from.
type Position uint8

// The positions.
const (
	Service Position = iota // svc.<origin>
	Zone                    // <origin>
	Node                    // a suffix that the node gives to all of its Pods
	Pod                     // a suffix that the Pod's dnsConfig has
	AsIs                    // the name as it is

	Positions // their number
)

const root = "\x00"

// Element is a suffix of a search path, in wire form and lower case.
type Element struct {
	Suffix   string
	Position Position
}

// List is what comes after the client's own suffix in its search path, in order. It
// is made by a Path and not changed.
type List struct {
	elements []Element
	// outside is the least number of labels of a name that is asked for outside the cluster.
	outside int
	// ndots is the number of dots from which on the client asks for a name as it is
	// first (resolv.conf(5)), or 0 if that is not known.
	ndots int
}

// Len is the number of elements.
func (l *List) Len() int { return len(l.elements) }

// add appends an element, unless the list has its suffix: kubelet leaves out
// repetitions, and a second question for the same name has the same answer.
func (l *List) add(suffix string, p Position) {
	if !slices.ContainsFunc(l.elements, func(e Element) bool { return e.Suffix == suffix }) {
		l.elements = append(l.elements, Element{suffix, p})
	}
}

// Path is what the search paths of a cluster's Pods have in common.
type Path struct {
	origin   string // of the zone, in wire form
	service  string // svc.<origin>
	node     []string
	outside  int
	standard List
}

// NewPath makes the path of the Pods that have the origin as their cluster's
// domain. The node's suffixes come after those of the cluster. Suffixes are in wire
// form and lower case. Names of fewer labels than outside are not asked for outside
// the cluster; fewer than two never are.
func NewPath(origin string, node []string, outside int) *Path {
	p := &Path{origin: origin, service: svcLabel + origin, node: node, outside: max(outside, minBase)}
	p.standard = List{outside: p.outside}
	p.addCluster(&p.standard)
	p.standard.add(root, AsIs)
	return p
}

// Origin is the cluster's domain in wire form.
func (p *Path) Origin() string { return p.origin }

// Standard is the list of Pods without settings of their own, as far as it is the
// same for all of them.
func (p *Path) Standard() *List { return &p.standard }

func (p *Path) addCluster(l *List) {
	l.add(p.service, Service)
	l.add(p.origin, Zone)
	for _, suffix := range p.node {
		l.add(suffix, Node)
	}
}
