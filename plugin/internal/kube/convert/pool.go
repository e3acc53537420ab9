package convert

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// poolLimit is the number of distinct values at which a pool is emptied, so that old names
// do not stay for ever. Emptying it costs nothing but some sharing.
const poolLimit = 1 << 14

// pool shares equal values: a cluster has few Namespaces and lists of ports, and very many
// objects that refer to them. It is not safe for concurrent use.
type pool struct {
	strings map[string]string
	lists   map[string][]cluster.Port
	zones   map[string]*cluster.Identity // of endpoints that have a topology zone and no name
	stubs   map[string]*cluster.Resolver
	buf     []byte
}

func newPool() *pool {
	return &pool{
		strings: make(map[string]string),
		lists:   make(map[string][]cluster.Port),
		zones:   make(map[string]*cluster.Identity),
		stubs:   make(map[string]*cluster.Resolver),
	}
}

// text returns a shared string equal to s. A new one is a copy, so that it does not keep
// alive the memory that s is a part of.
func (p *pool) text(s string) string {
	if shared, ok := p.strings[s]; ok {
		return shared
	}
	if len(p.strings) >= poolLimit {
		clear(p.strings)
	}
	s = strings.Clone(s)
	p.strings[s] = s
	return s
}

// ports returns a shared list equal to ports. The caller may reuse ports.
func (p *pool) ports(ports []cluster.Port) []cluster.Port {
	if len(ports) == 0 {
		return nil
	}
	p.buf = p.buf[:0]
	for _, port := range ports {
		p.buf = append(append(p.buf, port.Name...), 0)
		p.buf = append(append(p.buf, port.Protocol...), 0)
		p.buf = binary.BigEndian.AppendUint16(p.buf, port.Number)
	}
	if shared, ok := p.lists[string(p.buf)]; ok {
		return shared
	}
	if len(p.lists) >= poolLimit {
		clear(p.lists)
	}
	list := slices.Clone(ports)
	for i := range list {
		list[i].Name = p.text(list[i].Name)
		list[i].Protocol = p.text(list[i].Protocol)
	}
	p.lists[string(p.buf)] = list
	return list
}

// identity returns nil for an empty identity. Many endpoints have a topology zone and no
// name; they share one identity for each zone.
func (p *pool) identity(id cluster.Identity) *cluster.Identity {
	if id == (cluster.Identity{}) {
		return nil
	}
	id.TopologyZone = p.text(id.TopologyZone)
	if id.Hostname != "" || id.Pod != "" {
		return &id
	}
	shared, ok := p.zones[id.TopologyZone]
	if !ok {
		if len(p.zones) >= poolLimit {
			clear(p.zones)
		}
		shared = &id
		p.zones[id.TopologyZone] = shared
	}
	return shared
}

// resolver returns a shared resolver. Pods get their settings from a few templates, or all
// of them from one policy of their cluster.
func (p *pool) resolver(policy string, searches []string, ndots int) *cluster.Resolver {
	p.buf = binary.BigEndian.AppendUint32(p.buf[:0], uint32(ndots))
	p.buf = append(p.buf, policy...)
	for _, suffix := range searches {
		p.buf = append(append(p.buf, 0), suffix...)
	}
	if shared, ok := p.stubs[string(p.buf)]; ok {
		return shared
	}
	if len(p.stubs) >= poolLimit {
		clear(p.stubs)
	}
	var list []string
	for _, suffix := range searches {
		// A suffix that is not a domain name is useless to a resolver.
		if n, err := dnsname.Parse(suffix); err == nil {
			list = append(list, p.text(n.Wire()))
		}
	}
	r := cluster.NewResolver(p.text(policy), list, ndots)
	p.stubs[string(p.buf)] = r
	return r
}
