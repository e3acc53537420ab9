package answer

import (
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// spelling is what the names in a message's PTR records share, so that each part is written
// once (RFC 1035 4.1.4). Both sinks shorten names by it, and so the same records fit. The names are sorted by
// Service. miekg/dns, which packs the handler's records, shortens names at least as much.
type spelling struct {
	zone *resolve.Origin // nil for the root
	at   int             // offset of the name in the message

	last *cluster.Key // the Service of the name before
	// Offsets of the name of that Service, of its Namespace and of what follows; 0 if no
	// pointer can lead there.
	service, namespace, rest int
}

// maxPointer is the largest offset that a compression pointer can have.
const maxPointer = 1<<14 - 1

// shorten returns how many octets of a name are written, and the offset of the pointer that
// follows them. Without a pointer the offset is 0. whole is the size of the name.
func (p *spelling) shorten(target *resolve.HostName, whole int) (written, pointer int) {
	var buf [dnsname.MaxWire]byte
	own, _ := target.AppendEndpoint(buf[:0])
	svc, last := target.Service, p.last
	service := len(own)
	namespace := service + 1 + len(svc.Name)
	rest := namespace + 1 + len(svc.Namespace)
	p.last = svc
	if last != nil && *last == *svc && p.service > 0 {
		return service, p.service
	}
	p.service = p.offset(service)
	if last != nil && last.Namespace == svc.Namespace && p.namespace > 0 {
		return namespace, p.namespace
	}
	p.namespace = p.offset(namespace)
	if p.rest > 0 {
		return rest, p.rest
	}
	p.rest = p.offset(rest)
	return whole, 0
}

// offset returns the offset of a part of the name in the message, or 0 if no pointer can
// lead there.
func (p *spelling) offset(part int) int {
	if at := p.at + part; at <= maxPointer {
		return at
	}
	return 0
}

// size returns the size of a name in the message.
func (p *spelling) size(target *resolve.HostName) int {
	var buf [2 * dnsname.MaxWire]byte
	name, _ := target.AppendWire(buf[:0])
	whole := len(name) + 1
	if p.zone != nil {
		whole = len(name) + len(p.zone.Wire())
	}
	written, pointer := p.shorten(target, whole)
	if pointer > 0 {
		return written + pointerSize
	}
	return written
}
