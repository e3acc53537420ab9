package udp

import (
	"net"
	"net/netip"
	"testing"
	"time"
)

// TestSocketSends sends as a [net.UDPConn] does, over both families, and fails as it does.
func TestSocketSends(t *testing.T) {
	for _, address := range []string{"127.0.0.1", "::1"} {
		t.Run(address, func(t *testing.T) {
			conn := listenAt(t, address)
			raw, err := conn.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			s := &socket{conn: conn, raw: raw, local: conn.LocalAddr().(*net.UDPAddr).AddrPort()}
			client := listenAt(t, address)
			to := client.LocalAddr().(*net.UDPAddr).AddrPort()
			for _, size := range []int{0, 1, 512, 9000} {
				want := string(make([]byte, size))
				if n, err := s.WriteToUDPAddrPort([]byte(want), to); err != nil || n != size {
					t.Fatalf("%d of %d octets: %v", n, size, err)
				}
				if err := client.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
					t.Fatal(err)
				}
				buf := make([]byte, 65536)
				n, from, err := client.ReadFromUDPAddrPort(buf)
				if err != nil || string(buf[:n]) != want || from != s.local {
					t.Errorf("got %d octets from %s, %v; want %d from %s", n, from, err, size, s.local)
				}
			}
			for name, to := range map[string]netip.AddrPort{"too long": to, "no port": netip.AddrPortFrom(to.Addr(), 0)} {
				data := make([]byte, 1)
				if name == "too long" {
					data = make([]byte, 65536)
				}
				_, err := s.WriteToUDPAddrPort(data, to)
				_, want := conn.WriteToUDPAddrPort(data, to)
				if err == nil || want == nil || err.Error() != want.Error() {
					t.Errorf("%s: %v, want %v", name, err, want)
				}
			}
		})
	}
}
