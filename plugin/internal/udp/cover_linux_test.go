package udp

import (
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/vishvananda/netlink"
)

// A server that binds one of the machine's addresses after us gets all of its packets, and
// those that we already have are answered. When that server ends, the address is ours
// again.
func TestC6AddressOfALaterServer(t *testing.T) {
	if os.Getenv(insideVariable) == "" {
		runInside(t)
		return
	}
	addresses := moreAddresses(t, 2)
	meter, log := coverAll(t)
	all := func(rcode int) func() bool {
		return func() bool {
			for range 20 { // each from a new socket, because the kernel chooses by the client's port
				if rcodeAt(t, addresses[0], ourName) != rcode {
					return false
				}
			}
			return true
		}
	}
	eventually(t, "the address is ours", all(dns.RcodeSuccess))
	later := reuse(t, "udp4", addresses[0], func() {})
	eventually(t, "the later server gets all packets", all(dns.RcodeServerFailure))
	before := meter.answered.Load()
	if rcode := rcodeAt(t, addresses[1], ourName); rcode != dns.RcodeSuccess {
		t.Errorf("the other address: %s", dns.RcodeToString[rcode])
	}
	eventually(t, "the other address is still ours", func() bool { return meter.answered.Load() > before })
	if n := strings.Count(log.String(), "leaves 10.99.0.1 to another server"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, log)
	}
	_ = later.Close()
	eventually(t, "the address is ours again", all(dns.RcodeSuccess))
}

// coverAll listens on port 53 of all addresses, beside a socket like CoreDNS's own.
func coverAll(t *testing.T) (*tally, *logged) {
	t.Helper()
	var listener atomic.Pointer[Listener]
	reuse(t, "udp", ":53", func() {
		if l := listener.Load(); l != nil {
			l.Misrouted()
		}
	})
	r, log := testRegistry(t)
	s, meter := testBackend(t)
	l, err := r.Serve(netip.MustParseAddrPort("[::]:53"), s)
	if err != nil {
		t.Fatal(err)
	}
	listener.Store(l)
	return meter, log
}

// C15: a second process that listens on all addresses, of one family or of both, starts without an
// error and gets no questions while ours runs, as doc/install.md says.
func TestC15SecondProcess(t *testing.T) {
	if os.Getenv(insideVariable) == "" {
		runInside(t)
		return
	}
	addresses := moreAddresses(t, 1)
	meter, _ := coverAll(t)
	for _, second := range []struct{ network, at string }{{"udp4", "0.0.0.0:53"}, {"udp", ":53"}} {
		reuse(t, second.network, second.at, func() {})
		before := meter.answered.Load()
		for range 50 { // each from a new socket
			if rcode := rcodeAt(t, addresses[0], ourName); rcode != dns.RcodeSuccess {
				t.Fatalf("%s %s: %s", second.network, second.at, dns.RcodeToString[rcode])
			}
		}
		eventually(t, "all are counted", func() bool { return meter.answered.Load() == before+50 })
	}
}

// tentative gives the machine an address that exists and cannot be bound, because its
// uniqueness has not been checked.
func tentative(t *testing.T, text string) {
	t.Helper()
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "near"}, PeerName: "far"}
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		t.Fatal(err)
	}
	addr, err := netlink.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.AddrReplace(link, addr); err != nil {
		t.Fatal(err)
	}
}

// An address that cannot be bound is tried more and more rarely, however many packets miss
// our sockets, and is logged once.
func TestC7AddressThatCannotBeBound(t *testing.T) {
	if os.Getenv(insideVariable) == "" {
		runInside(t)
		return
	}
	moreAddresses(t, 1)
	tentative(t, "fd00::7/64")
	reuse(t, "udp", ":53", func() {})
	r, log := testRegistry(t)
	s, _ := testBackend(t)
	l, err := r.Serve(netip.MustParseAddrPort("[::]:53"), s)
	if err != nil {
		t.Fatal(err)
	}
	tried := func() int {
		l.mu.Lock()
		defer l.mu.Unlock()
		if a := l.unbound[netip.MustParseAddr("fd00::7")]; a != nil {
			return a.count
		}
		return 0
	}
	start := time.Now()
	eventually(t, "it is told", func() bool {
		l.Misrouted()
		return strings.Contains(log.String(), "leaves fd00::7 to CoreDNS")
	})
	// The pauses double from 10ms.
	if n, took := tried(), time.Since(start); n < 2 || n > 15 {
		t.Errorf("%d attempts in %v", n, took)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("logged:\n%s", log)
	}
}

// The pause grows to its maximum while packets go on missing our sockets, also for a long
// time, and starts again from the minimum after quiet or a change.
func TestC7PausesGrow(t *testing.T) {
	l := &Listener{address: netip.MustParseAddrPort("[::]:53"), stopped: true} // there is nothing to cover
	pause := minPause
	for range 20 {
		pause = l.look(pause, 0)
	}
	if pause != maxPause {
		t.Errorf("the pause is %v, want %v", pause, maxPause)
	}
	if pause = l.look(pause, maxPause); pause != minPause {
		t.Errorf("after quiet, the pause is %v, want %v", pause, minPause)
	}
}
