package zone

import (
	"net/netip"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// maxPointers is how many Services of one address are written from here.
const maxPointers = 8

// pointers writes the names of an address.
func (w *writer) pointers(a netip.Addr) bool {
	var buf [maxPointers]*cluster.ServiceNode
	owners, ok := w.owners(w.snapshot.ClusterIPs(), a, buf[:0])
	if ok && len(owners) > 0 {
		return w.pointer(owners[0], nil) && w.pointed()
	}
	if owners, ok = w.owners(w.snapshot.EndpointAddrs(), a, buf[:0]); !ok {
		return false
	}
	for _, svc := range owners {
		if !w.endpointNames(svc, a) {
			return false
		}
	}
	return w.pointed()
}

// owners are the Services with a name that an address belongs to, in the order of
// Snapshot.servicesAt. It fails if they are too many.
func (w *writer) owners(in *cluster.AddrIndex, a netip.Addr, list []*cluster.ServiceNode) ([]*cluster.ServiceNode, bool) {
	for k := range in.At(a) {
		svc := w.snapshot.Service(*k)
		if svc == nil || svc.Service.Kind == cluster.ExternalName || !w.view.exposes(w.snapshot, k.Namespace) {
			continue
		}
		if len(list) == cap(list) {
			return nil, false
		}
		list = append(list, svc)
		for i := len(list) - 1; i > 0 && list[i].Key.Compare(list[i-1].Key) < 0; i-- {
			list[i], list[i-1] = list[i-1], list[i]
		}
	}
	return list, true
}

// endpointNames writes the name that the address has as an endpoint of a Service.
// It fails if there may be more than one.
func (w *writer) endpointNames(svc *cluster.ServiceNode, a netip.Addr) bool {
	var found cluster.Endpoint
	count := 0
	for _, slice := range svc.Slices {
		for e := range slice.WithAddr(a) {
			if count++; count > 1 {
				return false
			}
			found = e
		}
	}
	return count == 0 || w.pointer(svc, &found)
}

// pointer writes a PTR record to the name of a Service, or of an endpoint of it.
func (w *writer) pointer(svc *cluster.ServiceNode, e *cluster.Endpoint) bool {
	w.wire.Answers++
	if w.question.Type != dns.TypePTR {
		return true
	}
	w.owner()
	w.head(dns.TypePTR, w.view.TTL)
	at := len(w.msg)
	w.msg = append(w.msg, 0, 0)
	ok := e == nil || w.endpointLabel(e)
	ok = ok && w.label(svc.Key.Name) && w.label(svc.Key.Namespace) && w.label("svc")
	o := w.view.primaryOrigin()
	if !ok || o == nil || len(w.msg)-at-2+len(o.Wire()) > dnsname.MaxWire {
		return false
	}
	w.msg = append(w.msg, o.Wire()...)
	w.size(at)
	return true
}

func (w *writer) endpointLabel(e *cluster.Endpoint) bool {
	if e.Named(w.view.PodNames) {
		return w.label(e.OwnLabel())
	}
	var buf [dnsname.DashedSize]byte
	return w.label(string(dnsname.AppendDashed(buf[:0], e.Addr)))
}

// label writes a label. It fails for one that is spelled with an escape.
func (w *writer) label(label string) bool {
	if label == "" || len(label) > 63 {
		return false
	}
	w.msg = append(w.msg, byte(len(label)))
	for i := range len(label) {
		c := label[i]
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
		w.msg = append(w.msg, c)
	}
	return true
}

// pointed ends an answer of PTR records. The handler spells owners in full to see
// whether its answer fits.
func (w *writer) pointed() bool {
	count := int(w.wire.Answers)
	switch {
	case count == 0:
		return w.negative(NXDomain)
	case w.question.Type != dns.TypePTR:
		return w.negative(NoData)
	}
	w.wire.Result = Success
	w.wire.Plain = len(w.msg) + count*(len(w.question.Name().Wire())-2)
	return w.wire.Plain+w.room.Reserved <= w.room.Size
}
