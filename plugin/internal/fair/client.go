package fair

import (
	"encoding/binary"
	"net/netip"
)

// Client is who counts as one: an IPv4 address, or an IPv6 network of 64 bits, since a host may
// choose any address in that.
type Client uint64

// mappedPrefix is where IPv4 addresses stand among the networks of IPv6. Nobody has an
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
