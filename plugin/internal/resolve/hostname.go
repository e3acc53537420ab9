package resolve

import (
	"net/netip"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// HostName is the name of a Service, of an endpoint or of a name server, as data. It can be
// written as text or in wire form, below any origin.
type HostName struct {
	Service *cluster.Key // nil for a name of the zone itself
	label   string       // the label of an endpoint, or the labels of a name of the zone itself
	addr    netip.Addr   // valid for an endpoint whose label is made of its address
	cluster string       // the cluster that exports the endpoint, in lower case
	outside bool         // the name is in an external zone
}

// NameOf returns the name of a Service.
func (sub *Subset) NameOf(svc *cluster.ServiceNode) HostName {
	return HostName{Service: svc.Key, outside: sub.Outside}
}

// EndpointName returns the name of an endpoint of a Service.
func (sub *Subset) EndpointName(svc *cluster.ServiceNode, slice *cluster.Slice, e *cluster.Endpoint) HostName {
	h := HostName{Service: svc.Key, outside: sub.Outside}
	if !sub.Outside && slice.Cluster != "" {
		h.cluster = strings.ToLower(slice.Cluster)
	}
	if !e.Named(sub.PodNames) {
		h.addr = e.Addr
		return h
	}
	h.label = e.OwnLabel()
	// Equal names must have equal HostNames, because callers compare them.
	if a, ok := dnsname.ParseDashed(h.label); ok {
		var buf [dnsname.DashedSize]byte
		if string(dnsname.AppendDashed(buf[:0], a)) == h.label {
			h.label, h.addr = "", a
		}
	}
	return h
}

// Text returns the name below an origin, both in presentation form.
func (h *HostName) Text(origin string) string {
	if h.Service == nil {
		return dnsname.Below(origin, h.label)
	}
	var buf [dnsname.MaxWire]byte
	b := buf[:0]
	switch {
	case h.addr.IsValid():
		b = append(dnsname.AppendDashed(b, h.addr), '.')
	case h.label != "":
		b = append(append(b, h.label...), '.')
	}
	if h.cluster != "" {
		b = append(append(b, h.cluster...), '.')
	}
	b = append(append(append(b, h.Service.Name...), '.'), h.Service.Namespace...)
	b = append(b, '.')
	if !h.outside {
		b = append(b, "svc."...)
	}
	if origin != "." {
		b = append(b, origin...)
	}
	return string(b)
}

// AppendWire appends the labels of the name in wire form, without the labels of the origin.
// It reports false for a label that is too long or has characters that need an escape.
func (h *HostName) AppendWire(msg []byte) ([]byte, bool) {
	msg, ok := h.AppendEndpoint(msg)
	if h.Service == nil {
		return msg, false
	}
	msg, ok = appendLabel(msg, h.Service.Name, ok)
	msg, ok = appendLabel(msg, h.Service.Namespace, ok)
	if !h.outside {
		msg = append(msg, "\x03svc"...)
	}
	return msg, ok
}

// AppendEndpoint appends the labels before those of the Service, in wire form.
func (h *HostName) AppendEndpoint(msg []byte) ([]byte, bool) {
	ok := true
	switch {
	case h.addr.IsValid():
		at := len(msg)
		msg = dnsname.AppendDashed(append(msg, 0), h.addr)
		msg[at] = byte(len(msg) - at - 1)
	case h.label != "":
		msg, ok = appendLabel(msg, h.label, ok)
	}
	if h.cluster != "" {
		msg, ok = appendLabel(msg, h.cluster, ok)
	}
	return msg, ok
}

// maxLabel is the largest size of a label (RFC 1035 2.3.4).
const maxLabel = 63

func appendLabel(msg []byte, label string, ok bool) ([]byte, bool) {
	if !ok || label == "" || len(label) > maxLabel {
		return msg, false
	}
	msg = append(msg, byte(len(label)))
	for i := range len(label) {
		c := label[i]
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return msg, false
		}
		msg = append(msg, c)
	}
	return msg, true
}

// MinSize returns the least size in wire form of the name of an endpoint of a Service;
// origin is the size of the origin. The shortest label has one character.
func (sub *Subset) MinSize(svc *cluster.ServiceNode, origin int) int {
	size := 2 + 1 + len(svc.Key.Name) + 1 + len(svc.Key.Namespace) + origin
	if !sub.Outside {
		size += len("\x03svc")
	}
	return size
}
