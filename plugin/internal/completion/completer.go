package completion

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"

	"github.com/coredns/coredns/core/dnsserver"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
	"golang.org/x/sync/singleflight"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

// Mode says how the Namespace of a searching client is found.
type Mode uint8

// The modes of the property search.
const (
	Off       Mode = iota
	Names          // from the question
	Pods           // from the client's Pod, or else from the question
	PodsAlone      // from the client's Pod
)

// WatchesPods reports whether the mode needs to know the cluster's Pods.
func (m Mode) WatchesPods() bool { return m == Pods || m == PodsAlone }

// Config says what a server block completes, and with what. It must not change while it is
// in use.
type Config struct {
	Mode        Mode
	Suffixes    []string // of the node, in wire form
	Labels      int      // least number of labels of a name outside the cluster; 0 for the default
	View        *resolve.View
	Fallthrough dnsname.Zones // zones in which the next plugin may know a name
	Lookup      LookupFunc
	MayWait     func(ctx context.Context) bool // called before a question waits for another's look-up; nil permits all
	Counter     Counter
}

// LookupFunc looks a name up in the whole server.
type LookupFunc func(ctx context.Context, state request.Request, name string, qtype uint16) (*dns.Msg, error)

// Counter counts searched names. It is safe for concurrent use.
type Counter interface {
	// Found counts a completed name, and the questions of the same type that the client
	// saves.
	Found(p searchpath.Position, saved int)
	NoData(p searchpath.Position) // the name exists without data of the type
	Failed(p searchpath.Position) // an element could not be looked up
	None()                        // no element exists
	GivenUp()                     // the look-ups would be too many or take too long
}

// Completer completes the searched names of a server block.
type Completer struct {
	Config
	Surroundings
	paths   []originPath // of all origins, the longest first
	flights singleflight.Group
	asking  sync.Map // the keys of flights, to which other questions may join
}

// originPath is the search path of the names in an origin. path is nil if the origin is in
// no search path.
type originPath struct {
	origin dnsname.Origin
	path   *searchpath.Path
}

// Surroundings are the facts about a server block that are known only after the whole
// Corefile has been read.
type Surroundings struct {
	// AskAll makes completion look up names of ours in the whole server too, because
	// another plugin or view may decide about them.
	AskAll bool
	// Filtered is set if a server block on the listener is selected by more than the name.
	Filtered bool
	// Signed is set if a plugin ahead signs answers for our zones.
	Signed  bool
	Routing corefile.Routing
}

// LookAround sets the Surroundings of a directive in a server block. It must be called when
// the plugins of the server block are known by their names, before the server block serves.
func (c *Completer) LookAround(server *dnsserver.Config, directive string, blocks []corefile.Block, log clog.P) {
	filtered := corefile.FilteredBeside(server, blocks)
	ahead := corefile.Ahead(server, directive)
	c.Surroundings = Surroundings{
		AskAll:   filtered || !corefile.ClearOfNames(ahead),
		Signed:   corefile.Signs(ahead),
		Filtered: filtered,
		Routing:  corefile.RoutingOf(server, blocks),
	}
	switch {
	case c.Filtered:
		log.Info("search asks the whole server for names in the cluster too: a view chooses the server block by more than the name")
	case c.AskAll:
		log.Info("search asks the whole server for names in the cluster too: a plugin ahead may have a say in them")
	}
}

// New returns the completer of a server block, or nil if it completes nothing. Its
// Surroundings must be set before its first use.
func New(cfg Config) *Completer {
	if cfg.Mode == Off {
		return nil
	}
	c := &Completer{Config: cfg}
	for _, o := range cfg.View.Origins {
		p := originPath{origin: o.Origin}
		if !o.Reverse() && !o.ClusterSet {
			p.path = searchpath.NewPath(o.Wire(), cfg.Suffixes, cfg.Labels)
		}
		c.paths = append(c.paths, p)
	}
	slices.SortStableFunc(c.paths, func(a, b originPath) int { return cmp.Compare(b.origin.Labels(), a.origin.Labels()) })
	return c
}

// searchedFor reports whether programs look up names of this type through the search path.
// A client that asks for another type, such as NS or SOA, examines the zone itself, and
// would take the target of the alias for the zone's name.
func searchedFor(qtype uint16) bool {
	switch qtype {
	case dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeMX, dns.TypeTXT, dns.TypeSRV, dns.TypeNAPTR, dns.TypeSVCB, dns.TypeHTTPS, dns.TypeANY:
		return true
	}
	return false
}

// question splits a name into its parts, if it has a form that is completed. wire is the
// name in wire form and lower case; it must not change while the question is in use.
func (c *Completer) question(n *dnsname.Name, wire []byte) (searchpath.Question, *searchpath.Path, bool) {
	for i := range c.paths {
		if p := &c.paths[i]; p.origin.Encloses(n) {
			if p.path == nil {
				break
			}
			q, ok := searchpath.Parse(wire, p.path.Origin())
			return q, p.path, ok
		}
	}
	return searchpath.Question{}, nil, false
}

// listFor returns the rest of a client's search path, or nil if nothing is to be completed.
// It may use memory for the list.
func (c *Completer) listFor(s *cluster.Snapshot, client netip.Addr, q *searchpath.Question, path *searchpath.Path, memory *searchpath.List) *searchpath.List {
	if c.Mode == Names {
		return path.Standard()
	}
	pod := s.Client(client).Pod
	switch {
	case pod == nil && c.Mode == Pods:
		return path.Standard()
	case pod == nil || pod.Namespace != string(q.Namespace()):
		return nil
	}
	settings := searchpath.Unset
	if r := pod.Resolver; r != nil {
		settings = searchpath.Settings{Policy: r.Policy, Searches: r.Searches, Ndots: r.Ndots}
	}
	if !path.Fill(memory, pod.Namespace, &settings) {
		return nil
	}
	return memory
}

// status returns the status of a name after a look-up in the snapshot.
func (c *Completer) status(r resolve.Result, n *dnsname.Name) searchpath.Status {
	switch {
	case r == resolve.OutOfZone:
		return searchpath.Elsewhere
	case c.AskAll || r == resolve.FollowTarget || c.Routing.Elsewhere(n):
		return searchpath.Unclear
	case r != resolve.NXDomain:
		return searchpath.Present
	case c.Fallthrough.Enclose(n):
		return searchpath.Unclear
	}
	return searchpath.Absent
}
