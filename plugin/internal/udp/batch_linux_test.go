package udp

import (
	"net/netip"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A client's address is its Pod's address, whatever the family of the socket.
func TestAddressOfTheClient(t *testing.T) {
	b := newBatch()
	b.clients[0] = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: netip.MustParseAddr("2001:db8::1").As16()}
	b.clients[1] = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: netip.MustParseAddr("::ffff:10.0.0.1").As16()}
	b.clients[2] = unix.RawSockaddrInet6{Family: unix.AF_INET6, Addr: netip.MustParseAddr("fe80::1").As16(), Scope_id: 2}
	*(*unix.RawSockaddrInet4)(unsafe.Pointer(&b.clients[3])) = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: [4]byte{10, 0, 0, 2}}
	for i, want := range []string{"2001:db8::1", "10.0.0.1", "fe80::1", "10.0.0.2"} {
		if got := b.addr(i); got != netip.MustParseAddr(want) {
			t.Errorf("%s is taken for %s", want, got)
		}
	}
	if n := testing.AllocsPerRun(100, func() { b.addr(2) }); n != 0 {
		t.Errorf("an address costs %v allocations", n)
	}
}
