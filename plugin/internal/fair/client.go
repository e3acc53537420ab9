package fair

import (
	"encoding/binary"
	"net/netip"
)

// Client identifies a client: an IPv4 address, or an IPv6 network of 64 bits, because a
// host may choose any address in that.
type Client uint64

// mappedPrefix is the IPv6 prefix under which IPv4 addresses are stored. No client has an
// address there.
const mappedPrefix = 0xffff << 32

// ClientOf returns the client that has an address.
func ClientOf(a netip.Addr) Client {
	a = a.Unmap()
	if a.Is4() {
		four := a.As4()
		return Client(mappedPrefix | uint64(binary.BigEndian.Uint32(four[:])))
	}
	sixteen := a.As16()
	return Client(binary.BigEndian.Uint64(sixteen[:]))
}
