package freeport

import (
	"net"
	"testing"
)

func TestListen(t *testing.T) {
	listener, packets, err := Listen(loopback)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	defer packets.Close()
	if tcp, udp := listener.Addr().String(), packets.LocalAddr().String(); tcp != udp {
		t.Errorf("listens on %s for TCP and on %s for UDP", tcp, udp)
	}
	if _, _, err := Listen("192.0.2.1"); err == nil {
		t.Error("listens on an address that is not ours")
	}
}

// Each port is free, and none is returned twice.
func TestAddrs(t *testing.T) {
	seen := map[string]bool{}
	for range 25 {
		addresses, err := Addrs(20)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range append(addresses, Addr(t)) {
			take(t, a)
			seen[a] = true
		}
	}
	if len(seen) != 25*21 {
		t.Errorf("%d addresses, want %d", len(seen), 25*21)
	}
}

func take(t *testing.T, address string) {
	t.Helper()
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	packets.Close()
}
