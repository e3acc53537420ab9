package answer

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/test/kit/reverse"
)

// oracle has every name of a model as a view shows it, with its records in short form: an
// address, "target port" for SRV, a target for PTR. It is written for clarity, as a second
// opinion on look-ups.
type oracle struct {
	view    *resolve.View
	names   map[string]map[string]bool
	aliases map[string]bool
	open    map[string]bool // names below which every name exists
}

func oracleOf(m *clustertest.Model, v *resolve.View) *oracle {
	o := &oracle{view: v, names: map[string]map[string]bool{}, aliases: map[string]bool{}, open: map[string]bool{}}
	for _, origin := range v.Origins {
		o.add(origin.String())
		if !origin.Reverse() {
			o.origin(m, origin)
		}
	}
	for key, s := range m.Services {
		if o.shows(m, key.Namespace) && s.Kind != cluster.ExternalName {
			o.ptrRecords(m, s)
		}
	}
	return o
}

func (o *oracle) shows(m *clustertest.Model, namespace string) bool {
	_, listed := o.view.Namespaces[namespace]
	return m.Namespaces[namespace] && (o.view.Namespaces == nil || listed)
}

// add adds a name with records, and all names between it and its origin.
func (o *oracle) add(name string, records ...string) {
	if o.names[name] == nil {
		o.names[name] = map[string]bool{}
	}
	for _, r := range records {
		o.names[name][r] = true
	}
	isOrigin := func(origin resolve.Origin) bool { return origin.String() == name }
	if _, parent, ok := strings.Cut(name, "."); ok && !slices.ContainsFunc(o.view.Origins, isOrigin) {
		o.add(parent)
	}
}

// has reports whether a name exists.
func (o *oracle) has(name string) bool {
	_, ok := o.names[name]
	for !ok && name != "" {
		_, name, _ = strings.Cut(name, ".")
		ok = o.open[name]
	}
	return ok
}

func (o *oracle) origin(m *clustertest.Model, in resolve.Origin) {
	origin := in.String()
	for _, name := range []string{"ns.dns.", "dns-version.", "svc.", "pod."} {
		o.add(name + origin)
	}
	for namespace := range m.Namespaces {
		if !o.shows(m, namespace) {
			continue
		}
		o.add(namespace + ".svc." + origin)
		if o.view.Pods != resolve.PodsDisabled {
			o.add(namespace + ".pod." + origin)
		}
	}
	for _, p := range m.Pods {
		for _, a := range clustertest.PodAddrs(p) {
			if o.view.Pods != resolve.PodsDisabled && o.shows(m, p.Namespace) {
				o.add(dnsname.Dashed(a)+"."+p.Namespace+".pod."+origin, a.String())
			}
		}
	}
	services, slices := m.Services, m.Slices
	if in.ClusterSet {
		services, slices = m.Imports, m.Exports
	}
	for key, s := range services {
		if o.shows(m, key.Namespace) {
			o.service(in, s, clustertest.SlicesIn(slices, key), key.Name+"."+key.Namespace+".svc."+origin)
		}
	}
}

func (o *oracle) service(in resolve.Origin, s *cluster.Service, list []*cluster.Slice, name string) {
	isEmpty := func(s *cluster.Slice) bool { return s.Endpoints.Len() == 0 }
	list = slices.DeleteFunc(slices.Clone(list), isEmpty)
	switch s.Kind {
	case cluster.ExternalName:
		if s.Target != "" {
			o.add(name)
			o.aliases[name] = true
		}
		return
	case cluster.ClusterIP:
		if o.view.IgnoreEmpty && len(list) == 0 {
			return
		}
		o.add(name)
		o.ports(in, s.Ports, name, name, s.ClusterIPs...)
	}
	for _, slice := range list {
		for e := range slice.Endpoints.All() {
			target := o.target(slice, e, name)
			o.add(target, e.Addr.String())
			o.srv(target, target, slice.Ports)
			if s.Kind == cluster.Headless {
				o.ports(in, slice.Ports, name, target, e.Addr)
			}
		}
	}
	if s.Kind == cluster.Headless && len(list) > 0 && o.view.Zonal && !in.ClusterSet {
		o.topologyZones(list, name)
	}
}

// target returns the name of an endpoint.
func (o *oracle) target(slice *cluster.Slice, e cluster.Endpoint, name string) string {
	if slice.Cluster != "" {
		name = strings.ToLower(slice.Cluster) + "." + name
	}
	return e.Label(o.view.PodNames) + "." + name
}

// topologyZones adds the names of some topology zones; every other zone has a name too.
func (o *oracle) topologyZones(list []*cluster.Slice, name string) {
	o.open["pin._zone."+name], o.open["prefer._zone."+name] = true, true
	for _, topologyZone := range []string{"z1", "eu.z1", "pin", "eu", "nowhere"} {
		pin, prefer := topologyZone+".pin._zone."+name, topologyZone+".prefer._zone."+name
		isThere := func(id *cluster.Identity) bool { return id != nil && id.TopologyZone == topologyZone }
		o.add(pin)
		o.endpoints(list, pin, name, isThere)
		o.add(prefer)
		if o.endpoints(list, prefer, name, isThere) == 0 {
			o.endpoints(list, prefer, name, func(*cluster.Identity) bool { return true })
		}
	}
}

// endpoints adds the records of some endpoints to an owner, and counts the endpoints.
func (o *oracle) endpoints(list []*cluster.Slice, owner, name string, some func(*cluster.Identity) bool) int {
	count := 0
	for _, slice := range list {
		for e := range slice.Endpoints.All() {
			if some(e.Identity) {
				count++
				o.add(owner, e.Addr.String())
				o.srv(owner, o.target(slice, e, name), slice.Ports)
			}
		}
	}
	return count
}

// ports adds the records of a Service at its name and at the names of its ports. In a
// cluster set, two labels without an underscore are an endpoint and its cluster.
func (o *oracle) ports(in resolve.Origin, ports []cluster.Port, name, target string, addrs ...netip.Addr) {
	for _, a := range addrs {
		o.add(name, a.String())
		o.srv(name, target, ports)
	}
	for _, p := range ports {
		if p.Name == "" {
			continue
		}
		for _, underscores := range [][2]string{{"_", "_"}, {"_", ""}, {"", "_"}, {"", ""}} {
			if in.ClusterSet && underscores == [2]string{} {
				continue
			}
			prefix := underscores[0] + p.Name + "." + underscores[1] + p.Protocol
			o.add(prefix + "." + name)
			for _, a := range addrs {
				o.add(prefix+"."+name, a.String())
				o.srv(prefix+"."+name, target, []cluster.Port{p})
			}
		}
	}
}

func (o *oracle) srv(name, target string, ports []cluster.Port) {
	for _, p := range ports {
		o.add(name, target+" "+strconv.Itoa(int(p.Number)))
	}
}

// ptrRecords adds the reverse names of a Service. Where an address is the ClusterIP
// of some Service, endpoints do not count.
func (o *oracle) ptrRecords(m *clustertest.Model, s *cluster.Service) {
	name := s.Name + "." + s.Namespace + ".svc." + originText(o.view.Primary(false))
	for _, a := range s.ClusterIPs {
		if o.clusterIPOf(m, a) == s.Key {
			o.reverse(a, name)
		}
	}
	for _, slice := range m.SlicesOf(s.Key) {
		for e := range slice.Endpoints.All() {
			if o.clusterIPOf(m, e.Addr) == (cluster.Key{}) {
				o.reverse(e.Addr, e.Label(o.view.PodNames)+"."+name)
			}
		}
	}
}

func (o *oracle) reverse(a netip.Addr, name string) {
	for _, each := range reverse.Names(a.String()) {
		o.add(each, name)
	}
}

// clusterIPOf returns the Service that a PTR record of the address leads to.
func (o *oracle) clusterIPOf(m *clustertest.Model, a netip.Addr) cluster.Key {
	for _, key := range m.Owners(a) {
		if o.shows(m, key.Namespace) && slices.Contains(m.Services[key].ClusterIPs, a) {
			return key
		}
	}
	return cluster.Key{}
}

func reverseOf(a netip.Addr) string {
	name, err := dns.ReverseAddr(a.String())
	if err != nil {
		panic(err)
	}
	return name
}

// records returns the records of an answer, in the oracle's form.
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
