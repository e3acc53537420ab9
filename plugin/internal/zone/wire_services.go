package zone

import (
	"encoding/binary"
	"net/netip"
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// opened is an address with the ports that are open there.
type opened struct {
	addr  netip.Addr
	ports []cluster.Port
}

// services writes the SRV records of a Service, an endpoint or a port.
func (w *writer) services(p *place) bool {
	var buf [maxLabelled]opened
	switch p.kind {
	case atPod:
		return w.negative(NoData)
	case atClusterIP, atPort:
		list := buf[:0]
		for _, a := range p.service.Service.ClusterIPs {
			if len(list) == cap(list) {
				return false
			}
			list = append(list, opened{a, p.service.Service.Ports})
		}
		return w.lead(p, list, w.origin.Labels()+serviceLabels)
	case atLabel:
		list, ok := p.opened(w.view.PodNames, buf[:0])
		return ok && w.lead(p, list, w.question.Name().Labels())
	}
	return w.keptRecords(p)
}

// serviceLabels is the number of labels of a Service's name below an origin.
const serviceLabels = 3

// opened are the endpoints that have the label of the place.
func (p *place) opened(podNames bool, list []opened) ([]opened, bool) {
	for _, slice := range p.service.Slices {
		for i := range slice.WithLabel(p.label, podNames) {
			if len(list) == cap(list) {
				return nil, false
			}
			list = append(list, opened{slice.Endpoints.Addr(i), slice.Ports})
		}
	}
	return list, true
}

// maxLeads is how many SRV records to one name are written from here.
const maxLeads = 32

// lead writes SRV records for the ports of a place to the name that the last labels
// of the question are, as builder.srv does for one target. The name is spelled in
// full (RFC 2782), which is not known here of one with capitals.
func (w *writer) lead(p *place, list []opened, labels int) bool {
	var buf [maxLeads]uint16
	numbers, pairs := buf[:0], 0
	for _, x := range list {
		count := 0
		for _, port := range x.ports {
			if p.kind == atPort && !p.ports.matches(port) {
				continue
			}
			count++
			if slices.Contains(numbers, port.Number) {
				continue
			}
			if len(numbers) == cap(numbers) {
				return false
			}
			numbers = append(numbers, port.Number)
		}
		pairs += max(1, count)
	}
	if len(numbers) == 0 {
		return w.negative(NoData)
	}
	w.leads(numbers, uint16(max(1, 100/pairs)), labels)
	w.opened(list, labels)
	return !w.question.HasUpper() && w.wire.Plain+w.room.Reserved <= w.room.Size
}

// leads writes an SRV record for each port.
func (w *writer) leads(numbers []uint16, weight uint16, labels int) {
	target := w.question.Name().Suffix(labels)
	w.wire = Wire{Result: Success, Answers: uint16(len(numbers)), Plain: len(w.msg)}
	for _, number := range numbers {
		w.owner()
		w.head(dns.TypeSRV, w.view.TTL)
		w.msg = binary.BigEndian.AppendUint16(w.msg, uint16(6+len(target)))
		w.msg = append(w.msg, 0, 0, byte(weight>>8), byte(weight), byte(number>>8), byte(number))
		w.msg = append(w.msg, target...)
		w.wire.Plain += len(w.question.Name().Wire()) + recordFixed + 6 + len(target)
	}
}

// opened writes the addresses of those with ports in the additional section, each
// once.
func (w *writer) opened(list []opened, labels int) {
	target := len(w.question.Name().Suffix(labels))
	for i, x := range list {
		same := func(other opened) bool { return other.addr == x.addr && len(other.ports) > 0 }
		if len(x.ports) == 0 || slices.ContainsFunc(list[:i], same) {
			continue
		}
		qtype := addressType(x.addr)
		w.suffix(labels)
		w.head(qtype, w.view.TTL)
		w.msg = append(w.msg, 0, byte(addressSize(qtype)))
		w.msg = packAddr(w.msg, x.addr)
		w.wire.Extra++
		w.wire.Plain += target + recordFixed + addressSize(qtype)
	}
}
