package zone

import "github.com/clusterdns/clusterdns/plugin/internal/dnsname"

// Question is a question in memory that is used again and again.
type Question struct {
	dnsname.WireName
	Type uint16
}

// headerSize is that of a message (RFC 1035 4.1.1): the question's name comes
// behind it.
const headerSize = 12

// pointerTo is a compression pointer to an offset in the message (RFC 1035 4.1.4).
func pointerTo(at int) uint16 { return 0xC000 | uint16(at) }

// suffixPointer is a compression pointer to the last count labels of the
// question's name, of which there must be one.
func (q *Question) suffixPointer(count int) uint16 {
	return pointerTo(headerSize + q.Name().Offset(count))
}
