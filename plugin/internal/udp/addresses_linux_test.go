package udp

import (
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
)

// insideVariable tells the test that it is in a network of its own.
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
	reuse(t, "udp", ":53", func() { listener.Load().Stray() })
	r, log := testRegistry(t)
	s, meter := testService(t)
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
		// An IPv6 address is not there at once.
		client := dns.Client{Timeout: 100 * time.Millisecond}
		eventually(t, "the new address is ours", func() bool {
			m, _, err := client.Exchange(new(dns.Msg).SetQuestion("web.a.svc.cluster.local.", dns.TypeA), at)
			return err == nil && m.Rcode == dns.RcodeSuccess
		})
		before := meter.strays.Load()
		for range 20 {
			rcodeAt(t, at, "web.a.svc.cluster.local.")
		}
		if n := meter.strays.Load() - before; n > 0 {
			t.Errorf("%s: %d of 20 packets came to CoreDNS's socket", text, n)
		}
		if addr.IP.To4() != nil {
			if err := netlink.AddrDel(lo, addr); err != nil {
				t.Fatal(err)
			}
		}
	}
	// What is gone is closed once somebody looks.
	eventually(t, "sockets of addresses that are gone are closed", func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return !l.has(netip.MustParseAddr("10.99.0.1"))
	})
	if log.String() != "" {
		t.Errorf("logged:\n%s", log)
	}
}

// runInside runs the test again where it may change addresses. That is root's to do,
// or anybody's in a user namespace.
func runInside(t *testing.T) {
	t.Helper()
	t.Parallel()
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
