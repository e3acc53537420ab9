package controlplane

import (
	"net"
	"strings"
	"testing"
)

// A reserved port serves one listener after another, even while connections of the previous
// one linger.
func TestReservedPort(t *testing.T) {
	p, err := reservePort()
	if err != nil {
		t.Fatal(err)
	}
	defer p.release()
	address := strings.TrimPrefix(p.url("tcp"), "tcp://")
	if connection, err := net.Dial("tcp", address); err == nil {
		connection.Close()
		t.Error("a reserved port accepts connections by itself")
	}
	for range 2 {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		client, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		server, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		server.Close()
		listener.Close()
	}
}
