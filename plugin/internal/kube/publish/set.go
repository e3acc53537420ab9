package publish

import (
	"hash/maphash"
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/zone"
)

// Set has all objects and publishes their names. It is not safe for concurrent use.
type Set struct {
	// Warn is called once for two objects that have a name in common with other records, and for an
	// object that leads to one that is not there.
	Warn func(text string)
	// Complain is called once for what is wrong with an object by itself.
	Complain func(text string)

	told       map[uint64]bool       // hashes of what Warn and Complain were called for
	seed       maphash.Seed          // of the hashes
	contested  map[string]bool       // names that several objects have, each otherwise
	objects    map[ID]*Object        // Gateways and ListenerSets
	followers  map[ID]objects        // of a Gateway or a ListenerSet: the routes, and the ListenerSets, that lead to it
	settled    bool                  // all objects are known
	zones      zone.Zones            // those that names are shown in
	servers    map[string]string     // the names of name servers, with the Namespaces that alone have them
	namespaces map[string]labels.Set // labels of the Namespaces that exist
	made       map[*Object][]named   // the names of each object that has any
	claims     map[string][]claim    // the objects that have each name, the older first
	touched    []string              // names whose claims have changed since they were decided
	inside     *inside               // of names inside; otherwise nil
}

// objects is a set of objects.
type objects map[*Object]struct{}

// claim is an object that has a name.
type claim struct {
	by      *Object
	records *cluster.Published
}

// NewSet makes an empty Set.
func NewSet(settings Settings) *Set {
	s := &Set{
		Warn:       func(string) {},
		Complain:   func(string) {},
		told:       map[uint64]bool{},
		seed:       maphash.MakeSeed(),
		contested:  map[string]bool{},
		objects:    map[ID]*Object{},
		followers:  map[ID]objects{},
		namespaces: map[string]labels.Set{},
		made:       map[*Object][]named{},
		claims:     map[string][]claim{},
		zones:      settings.zones(),
		servers:    zone.Servers(settings.Servers).In(settings.zones()),
	}
	if settings.Inside {
		s.inside = newInside(settings)
	}
	return s
}

// Replace replaces an object by another with the same ID; nil stands for none.
func (s *Set) Replace(txn *cluster.Txn, old, now *Object) {
	if old != nil {
		s.unlink(old)
	}
	if now != nil {
		s.link(now)
		s.complain(now)
	}
	if s.inside != nil && now != nil {
		s.retarget(txn, now.Key)
	}
	s.publish(old, now)
	id := either(old, now).ID
	if id.Kind == gatewayKind || id.Kind == listenerSetKind {
		s.publishFollowers(id)
	}
	if s.inside != nil {
		s.publishSeekers(old, now)
	}
	s.decide(txn)
}

func either(a, b *Object) *Object {
	if a != nil {
		return a
	}
	return b
}

// SetNamespace sets the labels of a Namespace, which are written as a selector of all of them.
func (s *Set) SetNamespace(txn *cluster.Txn, name, written string) {
	now, _ := labels.ConvertSelectorToLabelsMap(written) // cannot fail
	s.namespaces[name] = now
	s.publishNamespace(name)
	s.decide(txn)
}

// DeleteNamespace forgets a Namespace.
func (s *Set) DeleteNamespace(txn *cluster.Txn, name string) {
	delete(s.namespaces, name)
	s.publishNamespace(name)
	s.decide(txn)
}

// publishNamespace publishes again what may depend on the labels of a Namespace: its routes and
// ListenerSets.
func (s *Set) publishNamespace(name string) {
	if s.inside != nil {
		s.publishMembers(name)
	}
	for _, all := range s.followers {
		for o := range all {
			if o.Namespace == name {
				s.publishAgain(o)
			}
		}
	}
}

func (s *Set) publishFollowers(id ID) {
	for o := range s.followers[id] {
		s.publishAgain(o)
	}
}

// publishAgain publishes what follows from an object that has not changed.
func (s *Set) publishAgain(o *Object) {
	if o.listenerSet != nil {
		s.publishFollowers(o.ID)
		return
	}
	s.publish(o, o)
}

// leadsTo returns what an object leads to.
func (o *Object) leadsTo() (ids []ID) {
	switch {
	case o.listenerSet != nil:
		return []ID{{gatewayKind, o.listenerSet.gateway}}
	case o.route != nil:
		for _, p := range o.route.parents {
			ids = append(ids, p.ID)
		}
	}
	return ids
}

func (s *Set) link(o *Object) {
	if o.gateway != nil || o.listenerSet != nil {
		s.objects[o.ID] = o
	}
	for _, id := range o.leadsTo() {
		if s.followers[id] == nil {
			s.followers[id] = objects{}
		}
		s.followers[id][o] = struct{}{}
		if s.settled {
			s.complainOfParent(o, id)
		}
	}
	if s.inside != nil {
		s.inside.link(o)
	}
}

func (s *Set) unlink(o *Object) {
	if s.inside != nil {
		s.inside.unlink(o)
		s.forgetLeads(o)
	}
	if s.objects[o.ID] == o {
		delete(s.objects, o.ID)
	}
	for _, id := range o.leadsTo() {
		if delete(s.followers[id], o); len(s.followers[id]) == 0 {
			delete(s.followers, id)
		}
	}
}

// publish replaces the names of an object, which may be the same before and after. What the names have is
// decided later.
func (s *Set) publish(old, now *Object) {
	before, after := s.made[old], s.namesOf(now)
	delete(s.made, old)
	if len(after) > 0 {
		s.made[now] = after
	}
	for _, n := range before {
		s.disclaim(n.name, old)
	}
	for _, n := range after {
		s.claim(n.name, claim{now, n.records})
	}
	for _, n := range slices.Concat(before, after) {
		s.touched = append(s.touched, n.name)
	}
}

// decide publishes what the names have whose claims have changed, once all claims are as they will be.
func (s *Set) decide(txn *cluster.Txn) {
	slices.Sort(s.touched)
	for _, name := range slices.Compact(s.touched) {
		txn.Publish(name, s.visible(winning(s.claims[name])))
		s.contest(name)
	}
	s.touched = s.touched[:0]
}

// visible returns what is shown of what a name has: inside, only where it leads, and that it delegates a zone. A
// name that leads nowhere exists all the same.
func (s *Set) visible(p *cluster.Published) *cluster.Published {
	if s.inside == nil || p == nil || len(p.Records) == 0 {
		return p
	}
	return &cluster.Published{Addrs: p.Addrs, Alias: p.Alias, Records: recordsOfType(p, cluster.TypeNS)}
}

// claim adds a claim to those of a name, of which the older come first.
func (s *Set) claim(name string, c claim) {
	all := s.claims[name]
	at, _ := slices.BinarySearchFunc(all, c, func(a, b claim) int {
		if a.by.before(b.by) {
			return -1
		}
		return 1
	})
	s.claims[name] = slices.Insert(all, at, c)
}

func (s *Set) disclaim(name string, by *Object) {
	left := slices.DeleteFunc(s.claims[name], func(c claim) bool { return c.by == by })
	if len(left) == 0 {
		delete(s.claims, name)
		return
	}
	s.claims[name] = left
}

// winning returns what a name has that several objects may have: the addresses or the alias of the
// oldest that has any, and the records of each other type of the oldest that has any.
func winning(claims []claim) *cluster.Published {
	switch len(claims) {
	case 0:
		return nil
	case 1:
		return claims[0].records
	}
	claims, _ = compatible(claims)
	p := new(cluster.Published)
	if first := oldest(claims, leads); first != nil {
		p.Addrs, p.Alias = first.records.Addrs, first.records.Alias
	}
	for _, rrtype := range typesOf(claims) {
		first := oldest(claims, func(p *cluster.Published) bool { return len(recordsOfType(p, rrtype)) > 0 })
		p.Records = append(p.Records, recordsOfType(first.records, rrtype)...)
	}
	for _, c := range claims {
		if c.records.Equal(p) {
			return c.records // shared by all names of the object
		}
	}
	return p
}

// String returns the kind, the Namespace if there is one, and the name.
func (id ID) String() string {
	if id.Namespace == "" {
		return id.Kind + " " + id.Name
	}
	return id.Kind + " " + id.Namespace + "/" + id.Name
}
