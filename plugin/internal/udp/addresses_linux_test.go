package udp

import (
	"context"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/clusterdns/clusterdns/test/kit/namespace"
)

// insideVariable is set in the process that runs a test in a network namespace of its own.
const insideVariable = "CLUSTERDNS_TEST_NETWORK"

// TestListenerFollowsAddresses adds addresses to a machine and takes them away. It
// does so in a network namespace of its own, in a process of its own.
func TestListenerFollowsAddresses(t *testing.T) {
	if os.Getenv(insideVariable) == "" {
		runInside(t)
		return
	}
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		t.Fatal(err)
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		t.Fatal(err)
	}
	var listener atomic.Pointer[Listener]
	reuse(t, "udp", ":53", func() { listener.Load().Misrouted() })
	r, log := testRegistry(t)
	s, meter := testBackend(t)
	l, err := r.Serve(netip.MustParseAddrPort("[::]:53"), s)
	if err != nil {
		t.Fatal(err)
	}
	listener.Store(l)
	for _, text := range []string{"10.99.0.1/32", "fd00::9/128", "10.99.0.2/32"} {
		addr, err := netlink.ParseAddr(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.AddrReplace(lo, addr); err != nil {
			t.Fatal(err)
		}
		at := net.JoinHostPort(addr.IP.String(), "53")
		// A new IPv6 address cannot be bound at once.
		client := dns.Client{Timeout: 100 * time.Millisecond}
		eventually(t, "the new address is ours", func() bool {
			m, _, err := client.Exchange(new(dns.Msg).SetQuestion("web.a.svc.cluster.local.", dns.TypeA), at)
			return err == nil && m.Rcode == dns.RcodeSuccess
		})
		before := meter.misrouted.Load()
		for range 20 {
			rcodeAt(t, at, "web.a.svc.cluster.local.")
		}
		if n := meter.misrouted.Load() - before; n > 0 {
			t.Errorf("%s: %d of 20 packets came to CoreDNS's socket", text, n)
		}
		if addr.IP.To4() != nil {
			if err := netlink.AddrDel(lo, addr); err != nil {
				t.Fatal(err)
			}
		}
	}
	// The next look closes sockets of addresses that are gone.
	eventually(t, "sockets of addresses that are gone are closed", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return !l.has(netip.MustParseAddr("10.99.0.1"))
	})
	if log.String() != "" {
		t.Errorf("logged:\n%s", log)
	}
}

// runInside runs the test again in a process that may change its network's addresses: root
// may, and anybody in a user namespace.
func runInside(t *testing.T) {
	t.Helper()
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.SysProcAttr = namespace.Attributes(syscall.CLONE_NEWNET)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// Plugins see the name of the interface in a link-local client's address, as on CoreDNS's own
// socket.
func TestC10InterfaceByName(t *testing.T) {
	if os.Getenv(insideVariable) == "" {
		runInside(t)
		return
	}
	moreAddresses(t, 1)
	link := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "pods0"}, PeerName: "peer"}
	if err := netlink.LinkAdd(link); err != nil {
		t.Fatal(err)
	}
	addr, err := netlink.ParseAddr("fe80::7/64")
	if err != nil {
		t.Fatal(err)
	}
	addr.Flags = unix.IFA_F_NODAD // there at once
	if err := netlink.AddrReplace(link, addr); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"pods0", "peer"} {
		end, err := netlink.LinkByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if err := netlink.LinkSetUp(end); err != nil {
			t.Fatal(err)
		}
	}
	const at = "[fe80::7%pods0]:53"
	reuse(t, "udp", at, func() {})
	r, _ := testRegistry(t)
	s, _ := testBackend(t)
	remote := make(chan net.Addr, 1)
	s.Handler = handlerFunc(func(_ context.Context, w dns.ResponseWriter, m *dns.Msg) {
		remote <- w.RemoteAddr()
		_ = w.WriteMsg(new(dns.Msg).SetRcode(m, dns.RcodeRefused))
	})
	if _, err := r.Serve(netip.MustParseAddrPort(at), s); err != nil {
		t.Fatal(err)
	}
	if rcode := rcodeAt(t, at, "example.com."); rcode != dns.RcodeRefused {
		t.Errorf("the answer is %s", dns.RcodeToString[rcode])
	}
	if a := (<-remote).(*net.UDPAddr); a.Zone != "pods0" || !a.IP.Equal(net.ParseIP("fe80::7")) {
		t.Errorf("the client is %s", a)
	}
	if rcode := rcodeAt(t, at, ourName); rcode != dns.RcodeSuccess {
		t.Errorf("our name: %s", dns.RcodeToString[rcode])
	}
}
