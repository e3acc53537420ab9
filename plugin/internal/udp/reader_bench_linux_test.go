package udp

import (
	"fmt"
	"net"
	"net/netip"
	"testing"
	"unsafe"

	"github.com/miekg/dns"
	"golang.org/x/sys/unix"
)

// BenchmarkAnswer answers full batches of packets, as a reader does that has read them, and sends
// the answers to a client that does not read.
func BenchmarkAnswer(b *testing.B) {
	conn := reuse(b, "udp4", "127.0.0.1:0", func() {})
	at := netip.MustParseAddrPort(fmt.Sprintf("127.0.0.1:%d", conn.LocalAddr().(*net.UDPAddr).Port))
	r := NewRegistry(b.Logf)
	s, _ := testBackend(b)
	l, err := r.Serve(at, s)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Stop(b)
	client, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	packet, err := new(dns.Msg).SetQuestion(ourName, dns.TypeA).Pack()
	if err != nil {
		b.Fatal(err)
	}
	full := newBatch()
	port := client.LocalAddr().(*net.UDPAddr).Port
	for i := range batchSize {
		c := (*unix.RawSockaddrInet4)(unsafe.Pointer(&full.clients[i]))
		*c = unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: [4]byte{127, 0, 0, 1}, Port: uint16(port>>8 | port<<8&0xff00)}
		full.in[i].size, full.in[i].header.Namelen = uint32(copy(full.packets[i][:], packet)), unix.SizeofSockaddrInet4
	}
	reader := &reader{socket: l.sockets[0]}
	b.ReportAllocs()
	_ = reader.raw.Control(func(fd uintptr) {
		for b.Loop() {
			reader.answer(full, fd, batchSize)
		}
	})
}
