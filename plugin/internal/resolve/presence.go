package resolve

import (
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Result is the result of a look-up.
type Result uint8

// The results of a look-up.
const (
	OutOfZone    Result = iota // the name is in none of the view's origins
	Success                    // the RRset exists
	NoData                     // the name exists, the type does not (RFC 2308 2.2)
	NXDomain                   // the name does not exist (RFC 2308 2.1)
	NotReady                   // the snapshot does not have a whole cluster yet
	FollowTarget               // an alias leads out of the view's zones
	Referral                   // the name is in a zone that is delegated to other servers
)

// MaxChain is the largest number of aliases that a look-up follows within our zones. RFC
// 1034 3.6.2 sets no limit. Stock CoreDNS follows eleven, and counts anew in each zone.
const MaxChain = 32

// The query types that ask for an alias itself (RFC 1035 3.2), and the one that asks the zone above
// a cut (RFC 4034 5).
const (
	typeCNAME = 5
	typeDS    = 43
	typeANY   = 255
)

// Exists reports whether a name in one of the origins exists, with records of any type or
// none.
func (v *View) Exists(s *cluster.Snapshot, n *dnsname.Name) bool {
	o := v.Origin(n)
	if o == nil {
		return false
	}
	m := v.Locate(s, n, o)
	return v.holds(s, &m)
}

// holds reports whether the name of a match exists. The match alone does not tell whether
// an address has a name or an alias has a target.
func (v *View) holds(s *cluster.Snapshot, m *Match) bool {
	switch m.Kind {
	case NoName:
		return false
	case AtAddress:
		return v.HasName(s, m)
	case AtAlias:
		return m.Target(false) != nil
	}
	return true
}

// HasName reports whether the address of a match has a name.
func (v *View) HasName(s *cluster.Snapshot, m *Match) bool {
	var buf [4]HostName
	names, _ := v.NamesOf(s, m, 1, buf[:0])
	return len(names) > 0
}

// Outcome returns the result of a look-up without making a record. It returns Success if
// the name exists, whether or not it has the type. If the name is an alias, last is the
// name that decides the result; one that leads into a delegated zone leads out of the view's.
func (v *View) Outcome(s *cluster.Snapshot, n *dnsname.Name, qtype uint16) (r Result, last *dnsname.Name) {
	return v.OutcomeBy(v.Locate, s, n, qtype)
}

// Locator finds what a name below an origin stands for.
type Locator func(s *cluster.Snapshot, n *dnsname.Name, o *Origin) Match

// OutcomeBy does the same as Outcome in zones whose names another function locates. It also
// returns FollowTarget for SRV records to names whose addresses others know.
func (v *View) OutcomeBy(locate Locator, s *cluster.Snapshot, n *dnsname.Name, qtype uint16) (r Result, last *dnsname.Name) {
	if v.Origin(n) == nil {
		return OutOfZone, n
	}
	if !v.Ready(s) {
		return NotReady, n
	}
	for hops := 0; hops <= MaxChain; hops++ {
		o := v.Origin(n)
		if o == nil || n.IsReverse() && hops > 0 {
			return FollowTarget, n
		}
		m := locate(s, n, o)
		target := m.Target(qtype == cluster.TypeSRV)
		switch {
		case !v.holds(s, &m):
			return NXDomain, n
		case m.Refers(qtype) && hops > 0:
			return FollowTarget, n
		case m.Refers(qtype):
			return Referral, n
		case qtype == cluster.TypeSRV && m.leadsOut():
			return FollowTarget, n
		case target == nil || qtype == typeCNAME || qtype == typeANY:
			return Success, n
		}
		n = target
	}
	return Success, n // the aliases alone, because they form a loop
}

// Presence returns Success if a name exists and is neither an alias nor an address,
// NXDOMAIN if it does not exist, OutOfZone if no origin encloses it, and FollowTarget if
// only a look-up can tell. It allocates nothing.
func (v *View) Presence(s *cluster.Snapshot, n *dnsname.Name) Result {
	o := v.Origin(n)
	if o == nil {
		return OutOfZone
	}
	switch m := v.Locate(s, n, o); m.Kind {
	case NoName:
		return NXDomain
	case AtAlias, AtAddress:
		return FollowTarget
	}
	return Success
}

// ClaimsSubtree reports whether a name below a Service may be meant as it stands: the view does
// not show the Namespace, or the snapshot has the Service or slices of it, in whatever
// state.
func (v *View) ClaimsSubtree(s *cluster.Snapshot, k cluster.Key) bool {
	return !v.Exposes(s, k.Namespace) || s.Knows(k)
}
