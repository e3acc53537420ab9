// Package freeport finds ports for the DNS servers that tests and measurements start.
package freeport

import (
	"fmt"
	"net"
	"sync"
	"testing"
)

const (
	loopback = "127.0.0.1"
	// everywhere is where a port must be free: a test may use other addresses of the loopback
	// network than the first.
	everywhere = "0.0.0.0"
	// tries is how often Listen tries: a port may be free for TCP alone.
	tries = 10
	// maxAgain is how many free ports may be found that were returned before.
	maxAgain = 1000
)

// Listen listens for TCP and for UDP on the same port of a host, as DNS servers do (RFC
// 7766 5). It returns the error of its last try.
func Listen(host string) (listener net.Listener, packets net.PacketConn, err error) {
	for range tries {
		if listener, err = net.Listen("tcp", net.JoinHostPort(host, "0")); err != nil {
			return nil, nil, err
		}
		if packets, err = net.ListenPacket("udp", listener.Addr().String()); err == nil {
			return listener, packets, nil
		}
		_ = listener.Close()
	}
	return nil, nil, err
}

// given has the addresses that this process has returned.
var given sync.Map

// Addrs returns n loopback addresses whose ports are free for both protocols. They may be
// taken only if another process happens to pick one before it is used, which then fails.
// Addrs never returns an address twice, because CoreDNS does not serve metrics again at an
// address where an ended instance has served them.
func Addrs(n int) (addresses []string, err error) {
	for tried := 0; len(addresses) < n; tried++ {
		if tried == n+maxAgain {
			return nil, fmt.Errorf("of %d free ports, all but a few were given before", tried)
		}
		listener, packets, err := Listen(everywhere)
		if err != nil {
			return nil, err
		}
		defer listener.Close() // keep it until all are found, so that none is found twice
		defer packets.Close()
		_, port, _ := net.SplitHostPort(listener.Addr().String()) // never fails
		address := net.JoinHostPort(loopback, port)
		if _, again := given.LoadOrStore(address, nil); !again {
			addresses = append(addresses, address)
		}
	}
	return addresses, nil
}

// Addr returns one address of Addrs, such as "127.0.0.1:1053".
func Addr(t testing.TB) string {
	t.Helper()
	addresses, err := Addrs(1)
	if err != nil {
		t.Fatal(err)
	}
	return addresses[0]
}

// Port returns the port of one address of Addrs.
func Port(t testing.TB) string {
	t.Helper()
	_, port, _ := net.SplitHostPort(Addr(t)) // never fails
	return port
}
