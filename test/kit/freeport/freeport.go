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
	// tries is how often a port may be free for TCP alone.
	tries = 10
	// maxAgain is how many may be free that were given before.
	maxAgain = 1000
)

// Listen listens for TCP and for UDP on the same port of a host, as DNS servers do
// (RFC 7766 5). The error is that of the last try.
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

// given are the addresses that this process was given.
var given sync.Map

// Addrs are n addresses of loopback whose ports nobody has for either protocol when
// it returns. They stay so unless another process happens to pick one before it is
// used, which then fails. No address is given twice to a process, since CoreDNS does
// not serve metrics again where an instance has served them that has ended.
func Addrs(n int) (addresses []string, err error) {
	for tried := 0; len(addresses) < n; tried++ {
		if tried == n+maxAgain {
			return nil, fmt.Errorf("of %d free ports, all but a few were given before", tried)
		}
		listener, packets, err := Listen(loopback)
		if err != nil {
			return nil, err
		}
		defer listener.Close() // until all are known, lest one is found twice
		defer packets.Close()
		address := listener.Addr().String()
		if _, again := given.LoadOrStore(address, nil); !again {
			addresses = append(addresses, address)
		}
	}
	return addresses, nil
}

// Addr is one address that Addrs finds, "127.0.0.1:port".
func Addr(t testing.TB) string {
	t.Helper()
	addresses, err := Addrs(1)
	if err != nil {
		t.Fatal(err)
	}
	return addresses[0]
}

// Port is the port of one address that Addrs finds.
func Port(t testing.TB) string {
	t.Helper()
	_, port, _ := net.SplitHostPort(Addr(t)) // never fails
	return port
}
