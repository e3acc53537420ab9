package resolve

import (
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// Result is what came of a look-up.
type Result uint8

// The results of a look-up.
const (
	OutOfZone    Result = iota // the name is in none of the view's origins
	Success                    // the RRset exists
	NoData                     // the name exists, the type does not (RFC 2308 2.2)
	NXDomain                   // the name does not exist (RFC 2308 2.1)
	NotReady                   // the snapshot does not hold a whole cluster yet
	FollowTarget               // an alias leads out of our zones
)

// MaxChain is the number of aliases that are followed within our zones. RFC 1034
// 3.6.2 sets no limit; stock CoreDNS, which counts anew in each zone, may follow
// more than its eleven.
const MaxChain = 32

// Types that ask for an alias itself (RFC 1035 3.2).
const (
	typeCNAME = 5
	typeANY   = 255
)

// Exists reports whether a name in one of the origins exists, whatever it has.
func (v *View) Exists(s *cluster.Snapshot, n *dnsname.Name) bool {
	o := v.Origin(n)
	if o == nil {
		return false
	}
	m := v.Locate(s, n, o)
	return v.holds(s, &m)
}

// holds reports whether there is anything at a name. Whether an address has a name and
// an alias a target is not known from the match alone.
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

// HasName reports whether an address has a name.
func (v *View) HasName(s *cluster.Snapshot, m *Match) bool {
	var buf [4]HostName
	names, _ := v.NamesOf(s, m, 1, buf[:0])
	return len(names) > 0
}

// Outcome returns the result that a look-up comes to, without making a record: Success
// where the name exists, whether or not it has the type. For an alias, last is the name
// that decides the result.
func (v *View) Outcome(s *cluster.Snapshot, n *dnsname.Name, qtype uint16) (r Result, last *dnsname.Name) {
	if v.Origin(n) == nil {
		return OutOfZone, n
	}
	if !s.Synced() {
		return NotReady, n
	}
	for hops := 0; hops <= MaxChain; hops++ {
		o := v.Origin(n)
		if o == nil || n.IsReverse() && hops > 0 {
			return FollowTarget, n
		}
		m := v.Locate(s, n, o)
		target := m.Target(false)
		switch {
		case !v.holds(s, &m):
			return NXDomain, n
		case target == nil || qtype == typeCNAME || qtype == typeANY:
			return Success, n
		}
		n = target
	}
	return Success, n // the aliases alone, as a look-up answers where they go in a circle
}

// Presence returns Success if there is something at a name that has addresses, NXDomain if
// there is nothing, OutOfZone, or FollowTarget for what only a look-up and those it leads
// to can tell. Nothing is allocated.
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

// Reserves reports whether names below a Service may be meant as they stand: the
// Namespace does not exist or is not shown, or the Service has been heard of, with
// endpoints or without, published or not.
func (v *View) Reserves(s *cluster.Snapshot, k cluster.Key) bool {
	return !v.Exposes(s, k.Namespace) || s.Knows(k)
}
