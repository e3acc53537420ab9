package publish

import (
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish/behind"
)

// inside decides what names lead to for the Pods of the cluster: to the Service behind an Ingress
// or a Gateway, so that nothing leaves the cluster. A name without such a Service leads where it
// leads outside.
type inside struct {
	label    string            // prefix of the label that lets a Namespace have names in a zone; empty for no such rule
	services map[string]string // the Services of Ingress classes

	owners  map[string]objects // the Services that have each mark
	seekers map[string]objects // the Ingresses and Gateways that look for each mark
	members map[string]objects // the objects of each Namespace, if its labels matter
	targets map[cluster.Key]*targeted
	leads   map[lead]*cluster.Published
}

// targeted is a Service that only names a port of its Pods, with the ports that its EndpointSlices have.
type targeted struct {
	by    *Object
	ports []cluster.Port
}

// lead is an object whose names lead to a Service, and what they are at: the object itself or, if that is
// a Gateway, maybe a ListenerSet.
type lead struct{ of, at *Object }

// marksOf returns the marks of the Services that have the addresses or the alias.
func marksOf(p *cluster.Published) []string {
	if p == nil {
		return nil
	}
	var marks []string
	for _, a := range p.Addrs {
		marks = append(marks, behind.Address(a))
	}
	if p.Alias != "" {
		marks = append(marks, behind.Host(p.Alias))
	}
	return marks
}

func newInside(s Settings) *inside {
	return &inside{
		label: s.InsideLabel, services: s.classes(),
		owners: map[string]objects{}, seekers: map[string]objects{}, members: map[string]objects{},
		targets: map[cluster.Key]*targeted{}, leads: map[lead]*cluster.Published{},
	}
}

// classes returns the Services of Ingress classes, each as namespace and name with a slash between.
func (s Settings) classes() map[string]string {
	all := map[string]string{}
	for pair := range strings.SplitSeq(s.InsideServices, ",") {
		if class, name, ok := strings.Cut(pair, "="); ok {
			all[class] = name
		}
	}
	return all
}

// insideOf returns what matters of a Service inside, or nil if it has no ClusterIP, or if no name can
// lead to it.
func (s Settings) insideOf(svc *corev1.Service) *behind.Service {
	if !s.Inside {
		return nil
	}
	out := behind.Of(svc)
	name := svc.Namespace + "/" + svc.Name
	for _, named := range s.classes() {
		if named == name {
			out.Mark(behind.Named(name))
		}
	}
	if len(out.Addrs) == 0 || len(out.Marks) == 0 && svc.Spec.Type != corev1.ServiceTypeLoadBalancer {
		return nil
	}
	return out
}

// marked returns the marks of a Service that an object is.
func (o *Object) marked() []string {
	if o == nil || o.service == nil {
		return nil
	}
	return o.service.Marks
}

// sought returns the marks of the Services that an object looks for.
func (in *inside) sought(o *Object) []string {
	switch {
	case o.gateway != nil:
		return append(marksOf(o.gateway.records), behind.Gateway(o.Key))
	case o.Kind != ingressKind:
		return nil
	}
	var marks []string
	if named := in.services[o.class]; named != "" {
		marks = append(marks, behind.Named(named))
	}
	if len(o.names) > 0 {
		marks = append(marks, marksOf(o.names[0].records)...)
	}
	return marks
}

func (in *inside) link(o *Object) {
	for _, mark := range o.marked() {
		put(in.owners, mark, o)
	}
	if o.service != nil && o.service.NamesTargets() {
		in.targets[o.Key] = &targeted{by: o}
	}
	for _, mark := range in.sought(o) {
		put(in.seekers, mark, o)
	}
	if in.label != "" {
		put(in.members, o.Namespace, o)
	}
}

func (in *inside) unlink(o *Object) {
	for _, mark := range o.marked() {
		remove(in.owners, mark, o)
	}
	for _, mark := range in.sought(o) {
		remove(in.seekers, mark, o)
	}
	remove(in.members, o.Namespace, o)
	if t := in.targets[o.Key]; t != nil && t.by == o {
		delete(in.targets, o.Key)
	}
}

func put(in map[string]objects, key string, o *Object) {
	if in[key] == nil {
		in[key] = objects{}
	}
	in[key][o] = struct{}{}
}

func remove(in map[string]objects, key string, o *Object) {
	if delete(in[key], o); len(in[key]) == 0 {
		delete(in, key)
	}
}

// publishSeekers publishes again what looks for a Service that was another one before.
func (s *Set) publishSeekers(old, now *Object) {
	again := map[*Object]bool{}
	for _, mark := range slices.Concat(old.marked(), now.marked()) {
		for o := range s.inside.seekers[mark] {
			again[o] = true
		}
	}
	for o := range again {
		s.forgetLeads(o)
		if o.gateway != nil {
			s.publishFollowers(o.ID)
		} else {
			s.publishAgain(o)
		}
	}
}

// forgetLeads forgets what the names at an object lead to.
func (s *Set) forgetLeads(o *Object) {
	delete(s.inside.leads, lead{o, o})
	for at := range s.followers[o.ID] {
		delete(s.inside.leads, lead{o, at})
	}
	if o.listenerSet != nil {
		delete(s.inside.leads, lead{s.objects[ID{gatewayKind, o.listenerSet.gateway}], o})
	}
}

// ReplaceSlice replaces an EndpointSlice in the transaction, and publishes again what depends on the ports
// that the slices of its Service have.
func (s *Set) ReplaceSlice(txn *cluster.Txn, old, now *cluster.Slice) {
	txn.ReplaceSlice(old, now)
	if s.inside == nil {
		return
	}
	for _, slice := range []*cluster.Slice{old, now} {
		if slice != nil {
			s.retarget(txn, slice.Key())
		}
	}
	s.decide(txn)
}

// retarget learns which ports the EndpointSlices of a Service have, if that matters.
func (s *Set) retarget(txn *cluster.Txn, service cluster.Key) {
	t := s.inside.targets[service]
	if t == nil {
		return
	}
	ports := behind.Targets(txn.Slices(service))
	if slices.Equal(t.ports, ports) {
		return
	}
	t.ports = ports
	s.publishSeekers(t.by, t.by)
}

// records returns what names have at a Gateway, or at a ListenerSet of it.
func (s *Set) records(gateway, at *Object) *cluster.Published {
	if s.inside == nil {
		return gateway.gateway.records
	}
	return s.inside.ofGateway(gateway, at)
}

// ofGateway returns what names have inside that are at a Gateway, or at a ListenerSet of it: the Gateway's
// addresses that only the cluster can reach, else the Service that is labelled as the Gateway's, else the
// one with its address.
func (in *inside) ofGateway(o, at *Object) *cluster.Published {
	if p, known := in.leads[lead{o, at}]; known {
		return p
	}
	serves := func(svc *Object) bool { return svc.service.Serves(at.listensAt(), in.targetsOf(svc)) }
	p := o.gateway.records
	if len(o.gateway.within) > 0 {
		p = &cluster.Published{Addrs: o.gateway.within}
	} else if addrs := in.behind([]string{behind.Gateway(o.Key)}, serves); addrs != nil {
		p = &cluster.Published{Addrs: addrs}
	} else if addrs := in.behind(marksOf(p), serves); addrs != nil {
		p = &cluster.Published{Addrs: addrs}
	}
	in.leads[lead{o, at}] = p
	return p
}

// listensAt returns where the listeners of a Gateway or of a ListenerSet listen.
func (o *Object) listensAt() (all []behind.Listener) {
	var listeners []listener
	if o.gateway != nil {
		listeners = o.gateway.listeners
	} else {
		listeners = o.listenerSet.listeners
	}
	for i := range listeners {
		all = append(all, listeners[i].at)
	}
	return all
}

// targetsOf returns the ports that the EndpointSlices of a Service have, if they matter.
func (in *inside) targetsOf(svc *Object) []cluster.Port {
	if t := in.targets[svc.Key]; t != nil {
		return t.ports
	}
	return nil
}

// of returns what the names of an object have inside that leads somewhere by itself.
func (in *inside) of(o *Object, outside *cluster.Published) *cluster.Published {
	var addrs []netip.Addr
	switch {
	case o.service != nil && !o.service.Proxied:
		addrs = o.service.Addrs
	case o.Kind == ingressKind:
		addrs = in.behindIngress(o, outside)
	}
	if addrs == nil {
		return outside
	}
	self := lead{o, o}
	if p := in.leads[self]; p != nil && slices.Equal(p.Addrs, addrs) {
		return p // shared by all names of the object
	}
	in.leads[self] = &cluster.Published{Addrs: addrs}
	return in.leads[self]
}

// behindIngress returns the ClusterIPs of the Service that is named for the class of an Ingress or,
// without one, of the Service with its address. That Service must have a port for HTTP.
func (in *inside) behindIngress(o *Object, outside *cluster.Published) []netip.Addr {
	if named := in.services[o.class]; named != "" {
		for svc := range in.owners[behind.Named(named)] {
			if !svc.service.Proxied {
				return svc.service.Addrs
			}
		}
	}
	return in.behind(marksOf(outside), func(svc *Object) bool { return svc.service.ServesWeb() })
}

// behind returns the ClusterIPs of the Services with these marks, or nil. A mark that several Services have
// is left out. There are none if a load balancer must be passed for one of the marks.
func (in *inside) behind(marks []string, serves func(*Object) bool) (addrs []netip.Addr) {
	for _, mark := range marks {
		var found *behind.Service
		count := 0
		for o := range in.owners[mark] {
			if serves(o) {
				found = o.service
				count++
			}
		}
		switch {
		case count != 1:
			continue
		case found.Passes(mark):
			return nil
		}
		for _, a := range found.Addrs {
			if !slices.Contains(addrs, a) {
				addrs = append(addrs, a)
			}
		}
	}
	return addrs
}

// mayName reports whether the objects of a Namespace with these labels may have names in a zone.
func (in *inside) mayName(zone *dnsname.Origin, namespace labels.Set) bool {
	return in.label == "" || namespace[in.label+"/"+strings.TrimSuffix(zone.String(), ".")] == "true"
}

// publishMembers publishes the objects of a Namespace again.
func (s *Set) publishMembers(namespace string) {
	for o := range s.inside.members[namespace] {
		s.publishAgain(o)
	}
}

// complainOfClasses tells of the Services of Ingress classes that are not there.
func (s *Set) complainOfClasses() {
	for class, named := range s.inside.services {
		if len(s.inside.owners[behind.Named(named)]) == 0 {
			s.Warn("insideService " + class + ": there is no Service " + named + " with a ClusterIP, so Ingresses of that class lead to their addresses outside unless another Service has those")
		}
	}
}
