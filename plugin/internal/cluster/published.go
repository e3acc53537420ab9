package cluster

import (
	"hash/maphash"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/radix"
)

// Published is what a published name has: a name that an Ingress, a Gateway, a load balancer
// or a DNSEndpoint gives to the world.
type Published struct {
	Addrs   []netip.Addr
	Alias   string   // a fully qualified name; empty if there are addresses
	Records []Record // of all other types, those of one type together; none beside an alias
	// A name without any of these exists, and stops wildcards above it; what it has is shown elsewhere.
}

// Record is a record of another type than A, AAAA and CNAME.
type Record struct {
	Type uint16
	Data string // in wire form (RFC 1035 3.3), without compressed names
}

// The types of records that a published name has besides addresses and aliases (RFC 1035 3.2.2, RFC 2782,
// RFC 3403).
const (
	TypeNS    = 2
	TypePTR   = 12
	TypeMX    = 15
	TypeTXT   = 16
	TypeSRV   = 33
	TypeNAPTR = 35
)

// Form is what the data of a record has ahead of the name of a host.
type Form struct {
	Numbers int // of two octets each
	Texts   int // character-strings
}

// FormOf returns the form of the data of a type that has the name of a host. It must be one of those
// above, but not TXT (RFC 1035 3.3.9 and 3.3.12, RFC 2782, RFC 3403 4.1).
func FormOf(rrtype uint16) Form {
	switch rrtype {
	case TypeMX:
		return Form{Numbers: 1}
	case TypeSRV:
		return Form{Numbers: 3}
	case TypeNAPTR:
		return Form{Numbers: 2, Texts: 3}
	}
	return Form{}
}

// Delegates reports whether a name is a zone cut: it has NS records.
func (p *Published) Delegates() bool {
	return p != nil && slices.ContainsFunc(p.Records, func(r Record) bool { return r.Type == TypeNS })
}

// Types returns the types of the other records, each once.
func (p *Published) Types() (types []uint16) {
	if p == nil {
		return nil
	}
	for _, r := range p.Records {
		if !slices.Contains(types, r.Type) {
			types = append(types, r.Type)
		}
	}
	return types
}

// Equal reports whether both have the same records. Either may be nil.
func (p *Published) Equal(other *Published) bool {
	if p == nil || other == nil {
		return p == other
	}
	return p.Alias == other.Alias && slices.Equal(p.Addrs, other.Addrs) && slices.Equal(p.Records, other.Records)
}

// PublishedNode is a published name, or a name that has published names below it.
type PublishedNode struct {
	Published *Published // nil for a name that is not published itself
	below     int32      // number of nodes one label below
}

// publishedName is a name in wire form, in lower case. A wildcard label stands apart, so that the wildcard
// below a name is found without a copy of the name.
type publishedName struct {
	wildcard bool
	rest     string
}

// wildcardLabel is the first label of a wildcard in wire form.
const wildcardLabel = "\x01*"

func publishedNameOf(name string) publishedName {
	rest, is := strings.CutPrefix(name, wildcardLabel)
	return publishedName{wildcard: is, rest: rest}
}

func (n publishedName) String() string {
	if n.wildcard {
		return wildcardLabel + n.rest
	}
	return n.rest
}

func (n publishedName) Path() radix.Path {
	p := radix.Path{Hi: maphash.String(seed, n.rest)}
	if n.wildcard {
		p.Hi = ^p.Hi
	}
	return p
}

// parent returns the name without its first label, and reports false if nothing is above.
func (n publishedName) parent() (publishedName, bool) {
	above := n.rest
	if !n.wildcard {
		above = above[1+int(above[0]):]
	}
	return publishedNameOf(above), above != ""
}

// Published returns the node of a name, and reports whether the name is published or is above a
// published name. The name is in wire form, in lower case.
func (s *Snapshot) Published(name string) (PublishedNode, bool) {
	return s.published.Get(publishedNameOf(name))
}

// PublishedWildcard returns the same of the wildcard directly below a name.
func (s *Snapshot) PublishedWildcard(name string) (PublishedNode, bool) {
	return s.published.Get(publishedName{wildcard: true, rest: name})
}

// HasDelegations reports whether a published name delegates a zone.
func (s *Snapshot) HasDelegations() bool { return s.delegations > 0 }

// PublishedNames returns the keys of all published names, sorted.
func (s *Snapshot) PublishedNames() []string {
	return slices.Sorted(maps.Keys(s.AllPublished()))
}

// AllPublished returns what all published names have, by their keys.
func (s *Snapshot) AllPublished() map[string]*Published {
	all := map[string]*Published{}
	for name, n := range s.published.All() {
		if n.Published != nil {
			all[name.String()] = n.Published
		}
	}
	return all
}

// ChangedNames returns, sorted, the keys of the published names that differ between two snapshots
// of one store, and of some names above those.
func ChangedNames(before, after *Snapshot) (names []string) {
	for name := range radix.Differing(&before.published, &after.published) {
		names = append(names, name.String())
	}
	slices.Sort(names)
	return names
}

// SetNamesSynced marks the snapshot as having all published names.
func (t *Txn) SetNamesSynced() {
	t.changed = t.changed || !t.next.namesSynced
	t.next.namesSynced = true
}

// Publish sets what a name has. Nil unpublishes the name.
func (t *Txn) Publish(name string, now *Published) {
	key := publishedNameOf(name)
	n, _ := t.next.published.Get(key)
	if n.Published.Equal(now) {
		return
	}
	t.changed = true
	t.next.delegations += delegationsOf(now) - delegationsOf(n.Published)
	n.Published = now
	t.putPublished(key, n)
}

// delegationsOf returns 1 for a zone cut, and 0 for any other name.
func delegationsOf(p *Published) int {
	if p.Delegates() {
		return 1
	}
	return 0
}

// putPublished stores a node, or removes it if it has become empty, and counts it at the node
// above.
func (t *Txn) putPublished(name publishedName, n PublishedNode) {
	_, existed := t.next.published.Get(name)
	exists := n.Published != nil || n.below > 0
	if exists {
		t.next.published.Put(t.id, name, n)
	} else {
		t.next.published.Remove(t.id, name)
	}
	parent, ok := name.parent()
	if exists == existed || !ok {
		return
	}
	above, _ := t.next.published.Get(parent)
	if exists {
		above.below++
	} else {
		above.below--
	}
	t.putPublished(parent, above)
}

// publishedSize adds up the sizes of the published names. Names share what they have.
func publishedSize(t *radix.Tree[publishedName, PublishedNode]) int {
	sum, seen := allocated(t.Allocations()), map[*Published]bool{}
	for name, n := range t.All() {
		p := n.Published
		if p == nil {
			continue
		}
		sum += Rounded(len(wildcardLabel) + len(name.rest))
		if seen[p] {
			continue
		}
		seen[p] = true
		sum += SizeOf[Published]() + ArraySize(p.Addrs) + Rounded(len(p.Alias)) + ArraySize(p.Records)
		for _, r := range p.Records {
			sum += Rounded(len(r.Data))
		}
	}
	return sum
}
