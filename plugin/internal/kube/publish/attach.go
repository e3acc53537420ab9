package publish

import (
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/hostname"
)

// namesOf returns the names that an object has now.
func (s *Set) namesOf(o *Object) []named {
	switch {
	case o == nil:
		return nil
	case o.route == nil && s.inside != nil:
		return o.names
	case o.route == nil:
		return o.outside()
	}
	list := make([]named, 0, len(o.route.hostnames))
	for _, p := range o.route.parents {
		listeners, owner, records := s.reached(p)
		for i := range listeners {
			l := &listeners[i]
			if records == nil || !l.takes(p) || !l.takesKind(o.Kind) || !s.admits(l.routes, owner, o.Namespace) {
				continue
			}
			for _, host := range o.route.common(l.hostname) {
				list = add(list, hostname.Key(host), records)
			}
		}
	}
	return list
}

// outside returns the names of an object that lead somewhere outside: all or none.
func (o *Object) outside() []named {
	if len(o.names) > 0 && o.names[0].records == nil {
		return nil
	}
	return o.names
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

// add adds a name with what it has. A name at several Gateways has the addresses of all.
func add(list []named, name string, records *cluster.Published) []named {
	if name == "" {
		return list
	}
	for i := range list {
		if list[i].name == name {
			list[i].records = union(list[i].records, records)
			return list
		}
	}
	return append(list, named{name, records})
}

// union returns what a name has that leads to two Gateways.
func union(a, b *cluster.Published) *cluster.Published {
	if a == b || a.Equal(b) {
		return a
	}
	to := targets{alias: a.Alias}
	if to.alias == "" {
		to.alias = b.Alias
	}
	for _, p := range []*cluster.Published{a, b} {
		for _, addr := range p.Addrs {
			to.add(addr.String(), "")
		}
	}
	return to.published()
}
