package zone

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"

	"github.com/miekg/dns"
)

// maxLabelled is how many addresses of one label are written from here.
const maxLabelled = 16

// addresses writes the RRset of the question's family.
func (w *writer) addresses(p *place) bool {
	var buf [maxLabelled * 16]byte
	packed, ok := p.packed(w.question.Type, w.view.PodNames, buf[:0])
	if !ok {
		return false
	}
	if len(packed) == 0 {
		return w.negative(NoData)
	}
	w.write(packed, addressSize(w.question.Type))
	return true
}

// addressSize is the size of an address in a record of the type.
func addressSize(qtype uint16) int {
	if qtype == dns.TypeA {
		return 4
	}
	return 16
}

// packed are the addresses of a type's family at a place, one behind the other, each
// once. It fails where they are many and not kept.
func (p *place) packed(qtype uint16, podNames bool, buf []byte) ([]byte, bool) {
	switch p.kind {
	case atPod:
		return packOnce(buf, p.addr, qtype), true
	case atClusterIP, atPort:
		for _, a := range p.service.Service.ClusterIPs {
			buf = packOnce(buf, a, qtype)
		}
		return buf, true
	case atEndpoints:
		return packedOf(p.service, qtype), true
	case atLabel:
		return packLabelled(p, podNames, buf, qtype)
	}
	return nil, false
}

func packLabelled(p *place, podNames bool, buf []byte, qtype uint16) ([]byte, bool) {
	for _, slice := range p.service.Slices {
		for i := range slice.WithLabel(p.label, podNames) {
			if len(buf)+16 > cap(buf) {
				return nil, false
			}
			buf = packOnce(buf, slice.Endpoints.Addr(i), qtype)
		}
	}
	return buf, true
}

// packOnce appends an address of the type's family that is not there yet.
func packOnce(packed []byte, a netip.Addr, qtype uint16) []byte {
	if addressType(a) != qtype {
		return packed
	}
	before := len(packed)
	packed = packAddr(packed, a)
	size := len(packed) - before
	for i := 0; i < before; i += size {
		if string(packed[i:i+size]) == string(packed[before:]) {
			return packed[:before]
		}
	}
	return packed
}

func packAddr(packed []byte, a netip.Addr) []byte {
	if a.Is4() {
		b := a.As4()
		return append(packed, b[:]...)
	}
	b := a.As16()
	return append(packed, b[:]...)
}

// write writes as many of the addresses as there is room for. Of those that do
// not fit, chance decides.
func (w *writer) write(packed []byte, size int) {
	count := len(packed) / size
	shown := min(count, max(0, w.free())/(recordHead+size))
	start := len(w.msg)
	some := newSample(count, shown, w.room.Random)
	for range shown {
		at := some.next() * size
		w.address(packed[at : at+size])
	}
	if w.room.Shuffle {
		shuffle(w.msg[start:], recordHead+size, w.room.Random)
	}
	w.wire = Wire{
		Result:    Success,
		Truncated: shown < count,
		Answers:   uint16(shown),
		Plain:     start + shown*(len(w.question.Name().Wire())+recordFixed+size),
	}
}

// recordHead is the size of a record before its data, with a pointer as its owner.
const recordHead = 2 + recordFixed

func (w *writer) address(data []byte) {
	var head [recordHead]byte
	binary.BigEndian.PutUint16(head[0:], pointerTo(w.at))
	binary.BigEndian.PutUint16(head[2:], w.question.Type)
	binary.BigEndian.PutUint16(head[4:], dns.ClassINET)
	binary.BigEndian.PutUint32(head[6:], w.view.TTL)
	binary.BigEndian.PutUint16(head[10:], uint16(len(data)))
	w.msg = append(append(w.msg, head[:]...), data...)
}

// shuffle puts records of one size into a random order (Fisher and Yates). They
// differ in their last octets only.
func shuffle(records []byte, size int, random *rand.PCG) {
	for i := len(records)/size - 1; i > 0; i-- {
		j := int(below32(random, uint32(i+1)))
		a, b := records[i*size+recordHead:(i+1)*size], records[j*size+recordHead:(j+1)*size]
		for k := range a {
			a[k], b[k] = b[k], a[k]
		}
	}
}
