package searchpath

import "slices"

// Position is the source of an element of a search path.
type Position uint8

// The positions.
const (
	Service Position = iota // svc.<origin>
	Zone                    // <origin>
	Node                    // a suffix that the node gives to all of its Pods
	Pod                     // a suffix of the Pod's dnsConfig
	AsIs                    // the name as it is

	Positions // the number of positions
)

const root = "\x00"

// Element is a suffix of a search path, in wire form and lower case.
type Element struct {
	Suffix   string
	Position Position
}

// List has the elements of a search path after the suffix of the client's own Namespace, in
// order. A Path makes it.
type List struct {
	elements []Element
	// outside is the least number of labels that a base name needs to be asked for outside
	// the cluster.
	outside int
	// ndots is the least number of dots with which the client first asks for a name as it
	// is (resolv.conf(5)), or 0 if it is not known.
	ndots int
}

// size returns the number of elements.
func (l *List) size() int { return len(l.elements) }

// add appends an element, unless the list has its suffix: kubelet leaves out repetitions,
// and a second question for the same name gets the same answer.
func (l *List) add(suffix string, p Position) {
	if !slices.ContainsFunc(l.elements, func(e Element) bool { return e.Suffix == suffix }) {
		l.elements = append(l.elements, Element{suffix, p})
	}
}

// Path is the part of the search path that all Pods of a cluster share.
type Path struct {
	origin   string // the origin of the zone, in wire form
	service  string // svc.<origin>
	node     []string
	outside  int
	standard List
}

// NewPath makes the path of the Pods whose cluster domain is the origin. The suffixes of
// the node follow those of the cluster. All suffixes are in wire form and lower case. Names
// with fewer labels than outside are not asked for outside the cluster; the least is two.
func NewPath(origin string, node []string, outside int) *Path {
	p := &Path{origin: origin, service: svcLabel + origin, node: node, outside: max(outside, minBase)}
	p.standard = List{outside: p.outside}
	p.addCluster(&p.standard)
	p.standard.add(root, AsIs)
	return p
}

// Origin returns the cluster domain in wire form.
func (p *Path) Origin() string { return p.origin }

// Standard returns the list of Pods without settings of their own. It has the elements that
// are the same for all of them.
func (p *Path) Standard() *List { return &p.standard }

func (p *Path) addCluster(l *List) {
	l.add(p.service, Service)
	l.add(p.origin, Zone)
	for _, suffix := range p.node {
		l.add(suffix, Node)
	}
}
