package zone

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// oracle is every name of a model as a view shows it, with its records in short:
// an address, "target port" for SRV, a target for PTR. It is written for
// plainness, as a second opinion on what look-up says.
type oracle struct {
	view    *View
	names   map[string]map[string]bool
	aliases map[string]bool
}

func oracleOf(m *model, v *View) *oracle {
	o := &oracle{view: v, names: map[string]map[string]bool{}, aliases: map[string]bool{}}
	for _, origin := range v.Origins {
		o.add(origin.String())
		if !origin.reverse {
			o.origin(m, origin.String())
		}
	}
	for key, s := range m.services {
		if o.shows(m, key.Namespace) && s.Kind != ExternalName {
			o.pointers(m, s)
		}
	}
	return o
}

func (o *oracle) shows(m *model, namespace string) bool {
	_, listed := o.view.Namespaces[namespace]
	return m.namespaces[namespace] && (o.view.Namespaces == nil || listed)
}

// add adds a name with records, and all names between it and its origin.
func (o *oracle) add(name string, records ...string) {
	if o.names[name] == nil {
		o.names[name] = map[string]bool{}
	}
	for _, r := range records {
		o.names[name][r] = true
	}
	isOrigin := func(origin Origin) bool { return origin.String() == name }
	if _, parent, ok := strings.Cut(name, "."); ok && !slices.ContainsFunc(o.view.Origins, isOrigin) {
		o.add(parent)
	}
}

func (o *oracle) origin(m *model, origin string) {
	for _, name := range []string{"ns.dns.", "dns-version.", "svc.", "pod."} {
		o.add(name + origin)
	}
	for namespace := range m.namespaces {
		if !o.shows(m, namespace) {
			continue
		}
		o.add(namespace + ".svc." + origin)
		if o.view.Pods != PodsDisabled {
			o.add(namespace + ".pod." + origin)
		}
	}
	for _, p := range m.pods {
		for _, a := range p.Addrs {
			if o.view.Pods != PodsDisabled && o.shows(m, p.Namespace) {
				o.add(dashed(a)+"."+p.Namespace+".pod."+origin, a.String())
			}
		}
	}
	for key, s := range m.services {
		if o.shows(m, key.Namespace) {
			o.service(m, s, key.Name+"."+key.Namespace+".svc."+origin)
		}
	}
}

func (o *oracle) service(m *model, s *Service, name string) {
	switch s.Kind {
	case ExternalName:
		if s.Target != "" {
			o.add(name)
			o.aliases[name] = true
		}
		return
	case ClusterIP:
		o.add(name)
		o.ports(s.Ports, name, name, s.ClusterIPs...)
	}
	for _, slice := range m.slicesOf(s.Key) {
		for i := range slice.Endpoints {
			e := &slice.Endpoints[i]
			target := e.label(o.view.PodNames) + "." + name
			o.add(target, e.Addr.String())
			o.srv(target, target, slice.Ports)
			if s.Kind == Headless {
				o.ports(slice.Ports, name, target, e.Addr)
			}
		}
	}
}

// ports adds what a Service has at its name and at the names of its ports.
func (o *oracle) ports(ports []Port, name, target string, addrs ...netip.Addr) {
	for _, a := range addrs {
		o.add(name, a.String())
		o.srv(name, target, ports)
	}
	for _, p := range ports {
		if p.Name == "" {
			continue
		}
		for _, underscores := range [][2]string{{"_", "_"}, {"_", ""}, {"", "_"}, {"", ""}} {
			prefix := underscores[0] + p.Name + "." + underscores[1] + p.Protocol
			o.add(prefix + "." + name)
			for _, a := range addrs {
				o.add(prefix+"."+name, a.String())
				o.srv(prefix+"."+name, target, []Port{p})
			}
		}
	}
}

func (o *oracle) srv(name, target string, ports []Port) {
	for _, p := range ports {
		o.add(name, target+" "+strconv.Itoa(int(p.Number)))
	}
}

// pointers adds the reverse names of a Service. Where an address is the ClusterIP
// of some Service, endpoints do not count.
func (o *oracle) pointers(m *model, s *Service) {
	name := s.Name + "." + s.Namespace + ".svc." + o.view.primary()
	for _, a := range s.ClusterIPs {
		if o.clusterIPOf(m, a) == s.Key {
			o.add(reverseOf(a), name)
		}
	}
	for _, slice := range m.slicesOf(s.Key) {
		for i := range slice.Endpoints {
			e := &slice.Endpoints[i]
			if o.clusterIPOf(m, e.Addr) == (Key{}) {
				o.add(reverseOf(e.Addr), e.label(o.view.PodNames)+"."+name)
			}
		}
	}
}

// clusterIPOf is the Service that a pointer of the address leads to.
func (o *oracle) clusterIPOf(m *model, a netip.Addr) Key {
	for _, key := range m.owners(a) {
		if o.shows(m, key.Namespace) && slices.Contains(m.services[key].ClusterIPs, a) {
			return key
		}
	}
	return Key{}
}

func reverseOf(a netip.Addr) string {
	name, err := dns.ReverseAddr(a.String())
	if err != nil {
		panic(err)
	}
	return name
}

// records are the records of an answer, in the oracle's form.
func records(a Answer) map[string]bool {
	short := map[string]bool{}
	for _, rr := range a.Records {
		switch rr := rr.(type) {
		case *dns.A:
			short[rr.A.String()] = true
		case *dns.AAAA:
			short[rr.AAAA.String()] = true
		case *dns.SRV:
			short[rr.Target+" "+strconv.Itoa(int(rr.Port))] = true
		case *dns.PTR:
			short[rr.Ptr] = true
		}
	}
	return short
}
