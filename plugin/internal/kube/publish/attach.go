package publish

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/hostname"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/target"
)

// namesOf returns the names that an object has now.
func (s *Set) namesOf(o *Object) []named {
	var list []named
	switch {
	case o == nil:
		return nil
	case o.route != nil:
		list = s.namesOfRoute(o)
	default:
		list = slices.Clone(o.names)
	}
	for i := range list {
		if s.inside != nil && o.route == nil {
			list[i].records = s.inside.of(o, list[i].records)
		}
		list[i].records = s.fitting(o, list[i])
	}
	return slices.DeleteFunc(list, func(n named) bool { return n.records == nil })
}

// fitting returns what an object can give to a name, or nil for nothing: the name is in a zone that the
// object's Namespace may name.
func (s *Set) fitting(o *Object, n named) *cluster.Published {
	in := s.zones.Of(n.name)
	if n.records == nil || in == nil || s.inside != nil && !s.inside.mayName(in, s.namespaces[o.Namespace]) {
		return nil
	}
	if namespace, is := s.servers[n.name]; is && o.Namespace != namespace {
		s.refuse(o, n.name, "only objects of Namespace "+namespace+" can have that of a name server (apex, secondary)")
		return nil
	}
	switch {
	case !aliased(n.records):
		return n.records
	case n.name == in.Wire():
		s.refuse(o, n.name, "the own name of a zone cannot be an alias, as the load balancer's hostname or the CNAME record would have it")
	case n.name == hostname.DomainKey(n.records.Alias):
		s.refuse(o, n.name, "it would lead to itself")
	default:
		return n.records
	}
	return nil
}

// refuse tells why an object does not get a name, once for each reason.
func (s *Set) refuse(o *Object, name, why string) {
	if s.tell(o.String() + why) {
		s.Warn(o.String() + " does not get the name " + hostname.Of(name) + ": " + why)
	}
}

func (s *Set) namesOfRoute(o *Object) []named {
	all := collected{list: make([]named, 0, len(o.route.hostnames))}
	for _, p := range o.route.parents {
		listeners, owner, records := s.reached(p)
		for i := range listeners {
			l := &listeners[i]
			if records == nil || !l.takes(p) || !l.takesKind(o.Kind) || !s.admits(l.routes, owner, o.Namespace) {
				continue
			}
			for _, host := range o.route.common(l.hostname) {
				all.add(hostname.Key(host), records)
			}
		}
	}
	return all.list
}

// reached returns the listeners that a parent has, the Namespace that they are in, and what names
// at them have.
func (s *Set) reached(p parent) (listeners []listener, namespace string, records *cluster.Published) {
	if p.Kind == listenerSetKind {
		return s.reachedBySet(p.ID)
	}
	o := s.objects[p.ID]
	if o == nil {
		return nil, "", nil
	}
	return o.gateway.listeners, o.Namespace, s.records(o, o)
}

// reachedBySet returns the same of a ListenerSet, if its Gateway lets it in.
func (s *Set) reachedBySet(id ID) (listeners []listener, namespace string, records *cluster.Published) {
	o := s.objects[id]
	if o == nil || !o.listenerSet.accepted {
		return nil, "", nil
	}
	g := s.objects[ID{gatewayKind, o.listenerSet.gateway}]
	if g == nil || !s.admits(g.gateway.sets, g.Namespace, o.Namespace) {
		return nil, "", nil
	}
	return o.listenerSet.listeners, o.Namespace, s.records(g, o)
}

// takes reports whether a listener is in the part that a parent names.
func (l *listener) takes(p parent) bool {
	return (p.section == "" || p.section == l.name) && (p.port == 0 || p.port == l.at.Port)
}

// takesKind reports whether a listener takes routes of a kind.
func (l *listener) takesKind(kind string) bool {
	return l.kinds == "" || strings.Contains(l.kinds, ","+kind+",")
}

// admits reports whether an object in one Namespace lets in those of another.
func (s *Set) admits(a admission, own, other string) bool {
	switch a.from {
	case fromAll:
		return true
	case fromSame:
		return own == other
	case fromSelector:
		have, exists := s.namespaces[other]
		selector, err := labels.Parse(a.selector)
		return exists && err == nil && selector.Matches(have)
	}
	return false
}

// common returns the hostnames that a route and a listener have in common.
func (r *route) common(listener string) (hosts []string) {
	if len(r.hostnames) == 0 {
		return []string{listener}
	}
	for _, own := range r.hostnames {
		if host, ok := hostname.Common(listener, own); ok {
			hosts = append(hosts, host)
		}
	}
	return hosts
}

// collected are names, each once.
type collected struct {
	list  []named
	known map[string]int // where they are in the list; nil while that is short
}

// position returns where a name is in the list, or a negative number.
func (c *collected) position(name string) int {
	if c.known == nil {
		return slices.IndexFunc(c.list, func(n named) bool { return n.name == name })
	}
	if i, is := c.known[name]; is {
		return i
	}
	return -1
}

// add adds a name with what it has. A name at several Gateways has the addresses of all.
func (c *collected) add(name string, records *cluster.Published) {
	if name == "" {
		return
	}
	if i := c.position(name); i >= 0 {
		c.list[i].records = union(c.list[i].records, records)
		return
	}
	c.list = append(c.list, named{name, records})
	if c.known != nil {
		c.known[name] = len(c.list) - 1
	} else if len(c.list) > cluster.Few {
		c.known = map[string]int{}
		for i, n := range c.list {
			c.known[n.name] = i
		}
	}
}

// union returns what a name has that leads to two Gateways.
func union(a, b *cluster.Published) *cluster.Published {
	if a == b || a.Equal(b) {
		return a
	}
	to := target.List{Alias: a.Alias}
	if to.Alias == "" {
		to.Alias = b.Alias
	}
	for _, p := range []*cluster.Published{a, b} {
		for _, addr := range p.Addrs {
			to.Add(addr.String(), "")
		}
	}
	return to.Published()
}
