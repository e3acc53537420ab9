package zone

import (
	"net/netip"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// place is what a name stands for, without the records that are there: it is
// found without allocating anything. Existence is decided here, once, for every
// form that an answer may have.
type place struct {
	kind    placeKind
	name    NameKind
	service *cluster.ServiceNode
	label   string     // of endpoints
	ports   portFilter // of a port
	addr    netip.Addr // of a Pod, or of a reverse name
	other   node       // of what is rarely asked for
}

type placeKind uint8

const (
	nowhere       placeKind = iota // there is no such name
	atEmpty                        // an empty non-terminal
	atApex                         // the top of a zone
	atText                         // dns-version
	atServer                       // ns.dns
	atAlias                        // an ExternalName Service
	atClusterIP                    // a Service with a ClusterIP
	atEndpoints                    // a headless Service that has endpoints
	atLabel                        // endpoints that have a label
	atPort                         // a port of a Service with a ClusterIP
	atEndpointsOf                  // a port of a headless Service
	atPod                          // an address below pod
	atAddress                      // a reverse name, of what may be nobody's address
	atOther                        // place.other
)

// otherwise is a place that only a node describes, or none.
func otherwise(n node, name NameKind) place {
	if n == nil {
		return place{name: name}
	}
	return place{kind: atOther, name: name, other: n}
}

// target is what an alias leads to, nil for what is no alias or leads to no name.
func (p *place) target() *dnsname.Name {
	if p.kind != atAlias {
		return nil
	}
	link, _ := aliasTo(p.service.Service.Target).(alias)
	return link.target
}

// node is what can tell the records of a place, or nil for a name that does not
// exist.
func (v *View) node(s *cluster.Snapshot, p *place) node {
	switch p.kind {
	case atEmpty:
		return bare{}
	case atApex:
		return apex{}
	case atText:
		return text{}
	case atServer:
		return nameserver{}
	case atAlias:
		return aliasTo(p.service.Service.Target)
	case atPod:
		return hosts{list: []host{{addr: p.addr}}}
	case atAddress:
		return v.findPointer(s, p.addr)
	case atOther:
		return p.other
	case nowhere:
		return nil
	}
	if c, ok := p.group(v.PodNames); ok {
		return c
	}
	return v.hosts(p.service, p.hosts())
}

// group are the endpoints at the place of a Service.
func (p *place) group(podNames bool) (group, bool) {
	c := group{service: p.service, subset: subset{podNames: podNames}}
	switch p.kind {
	case atEndpoints:
	case atLabel:
		c.subset.kind, c.subset.name = byLabel, p.label
	case atEndpointsOf:
		c.subset.kind, c.subset.ports = byPort, p.ports
	default:
		return group{}, false
	}
	return c, true
}

// hosts are the ClusterIPs at the place of a Service.
func (p *place) hosts() []host {
	svc := p.service
	switch p.kind {
	case atClusterIP:
		return hostsAt(svc.Service.ClusterIPs, svc.Service.Ports)
	case atPort:
		return hostsAt(svc.Service.ClusterIPs, p.ports.choose(svc.Service.Ports))
	}
	return nil
}
