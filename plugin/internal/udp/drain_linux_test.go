package udp

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/vishvananda/netlink"
)

// moreAddresses gives the machine more addresses, and returns them with the port.
func moreAddresses(t *testing.T, count int) []string {
	t.Helper()
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		t.Fatal(err)
	}
	var list []string
	for i := range count {
		text := fmt.Sprintf("10.99.0.%d", i+1)
		addr, err := netlink.ParseAddr(text + "/32")
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.AddrReplace(lo, addr); err != nil {
			t.Fatal(err)
		}
		list = append(list, net.JoinHostPort(text, "53"))
	}
	return list
}

// Stop ends the arrival of packets at all sockets at once, even while an upstream is dead.
// The single wait for all sockets holds no lock, so a reload meanwhile is served.
func TestC5OneWaitForAllSockets(t *testing.T) {
	if os.Getenv(insideVariable) == "" {
		runInside(t)
		return
	}
	addresses := moreAddresses(t, 6)
	reuse(t, "udp", ":53", func() {})
	r, _ := testRegistry(t)
	r.drainTimeout = time.Hour
	s, _ := testBackend(t)
	h := &outside{gate: make(chan struct{}), in: make(chan context.Context, len(addresses))}
	s.Handler = h
	at := netip.MustParseAddrPort("[::]:53")
	if _, err := r.Serve(at, s); err != nil {
		t.Fatal(err)
	}
	var clients []net.Conn
	for i, address := range addresses {
		client, err := net.Dial("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		send(t, client, i, "wait.example.com.")
		<-h.in
		clients = append(clients, client)
	}
	r.Stop(t)
	for _, address := range addresses {
		if rcode := rcodeAt(t, address, ourName); rcode != dns.RcodeServerFailure {
			t.Errorf("%s is not CoreDNS's: %s", address, dns.RcodeToString[rcode])
		}
	}
	next, _ := testBackend(t)
	if _, err := r.Serve(at, next); err != nil {
		t.Fatal(err)
	}
	for _, address := range addresses {
		if rcode := rcodeAt(t, address, ourName); rcode != dns.RcodeSuccess {
			t.Errorf("after a reload, %s: %s", address, dns.RcodeToString[rcode])
		}
	}
	r.Stop(t)
	close(h.gate)
	for i, client := range clients {
		if _, ok := replies(t, client, 1)[uint16(i)]; !ok {
			t.Errorf("%s: what came before was not answered", addresses[i])
		}
	}
	r.Wait()
}

// Wait returns although a question is never answered.
func TestC5DrainEnds(t *testing.T) {
	h := &outside{gate: make(chan struct{}), in: make(chan context.Context, 1)}
	r, _, client := serveOutside(t, h)
	defer close(h.gate)
	r.drainTimeout = time.Millisecond
	send(t, client, 1, "wait.")
	<-h.in
	r.Stop(t)
	r.Wait()
}
