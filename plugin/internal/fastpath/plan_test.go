package fastpath

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/metrics/vars"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"golang.org/x/time/rate"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// TestZonesNameTheBlock: the error for a zone that is no name has its server block.
func TestZonesNameTheBlock(t *testing.T) {
	b := corefile.Block{ServerBlock: caddyfile.ServerBlock{Keys: []string{"dns://two.example.:53", "dns://x..example.:53"}}}
	for _, zone := range []string{"two.example.", "x..example."} {
		b.Configs = append(b.Configs, &dnsserver.Config{Zone: zone, ListenHosts: []string{"127.0.0.1"}, Port: "53", Transport: "dns"})
	}
	f := &Instance{blocks: []corefile.Block{{}, {}, b}}
	zones, reasons := f.zones(&dnsserver.Server{Addr: "dns://127.0.0.1:53"}, udpProto)
	const want = "zone x..example. of the server block dns://two.example.:53 dns://x..example.:53: "
	if zones != nil || len(reasons) != 1 || !strings.HasPrefix(reasons[0].Error(), want) {
		t.Errorf("the reasons are %q, want %q", reasons, want)
	}
}

// TestLocalAddrOfListeners compares with CoreDNS's own sockets, opened as CoreDNS opens
// them.
func TestLocalAddrOfListeners(t *testing.T) {
	for _, host := range []string{"", "0.0.0.0", "::", "127.0.0.1", "::1"} {
		conn, err := net.ListenPacket("udp", net.JoinHostPort(host, "0"))
		if err != nil {
			t.Logf("not on this machine: %v", err)
			continue
		}
		want := conn.LocalAddr().(*net.UDPAddr)
		_ = conn.Close()
		address := listenAddress(fmt.Sprintf("dns://%s", net.JoinHostPort(host, fmt.Sprint(want.Port))))
		got := localAddr(netip.MustParseAddrPort(address)).(*net.UDPAddr)
		if got.String() != want.String() || !got.IP.Equal(want.IP) {
			t.Errorf("%q: %s, want %s", host, got, want)
		}
	}
}

// A panic at the head of the chain is counted as CoreDNS counts one, and logged.
func TestPanicsAtTheHeadAreCounted(t *testing.T) {
	log := coredns.CaptureLog(t)
	f := &Instance{log: clog.NewWithPlugin("clusterdns"), panics: rate.Sometimes{First: 1}}
	before := testutil.ToFloat64(vars.Panic)
	f.panicked("of the test")
	if n := testutil.ToFloat64(vars.Panic) - before; n != 1 || !strings.Contains(log.String(), "of the test") {
		t.Errorf("%v panics were counted; the log: %s", n, log)
	}
}
