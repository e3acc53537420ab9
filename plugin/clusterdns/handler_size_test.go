package clusterdns

import (
	"context"
	"fmt"
	"net/netip"
	"testing"

	"github.com/coredns/coredns/plugin"
	_ "github.com/coredns/coredns/plugin/bufsize"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// foreignHandler answers for a Service with an answer of about 5,000 octets. The next
// plugin returns the size that it sees as the client's.
func foreignHandler(t *testing.T) *ClusterDNS {
	t.Helper()
	d := testHandler(t)
	many := &cluster.Service{Key: cluster.Key{Namespace: "shop", Name: "many"}}
	for i := range 300 {
		many.ClusterIPs = append(many.ClusterIPs, netip.AddrFrom4([4]byte{10, 4, byte(i >> 8), byte(i)}))
	}
	txn := d.store.Begin()
	txn.ReplaceService(nil, many)
	txn.Commit()
	d.limit = true
	d.Next = plugin.HandlerFunc(func(_ context.Context, _ dns.ResponseWriter, r *dns.Msg) (int, error) {
		return int(r.IsEdns0().UDPSize()), nil
	})
	return d
}

// In the plugin chain as at the sockets, a reply over UDP to an address outside the
// cluster's own networks has at most 1,232 octets, unless the Corefile has another bound.
// The next plugin sees the client's own size.
func TestB4RepliesToForeignClients(t *testing.T) {
	for _, tc := range []struct {
		client  string
		bounded bool // the Corefile has a bound
		cut     bool
	}{
		{client: "192.0.2.1", cut: true},
		{client: "2001:db8::1", cut: true},
		{client: "10.1.2.3"},
		{client: "100.64.0.1"},
		{client: "fd00::1"},
		{client: "192.0.2.1", bounded: true},
	} {
		d := foreignHandler(t)
		d.limit = chain.ReplyLimit(!tc.bounded)
		r := new(dns.Msg).SetQuestion("many.shop.svc.cluster.local.", dns.TypeA).SetEdns0(65535, false)
		w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: tc.client})
		if _, err := d.ServeDNS(t.Context(), request.NewScrubWriter(r, w), r); err != nil {
			t.Fatal(err)
		}
		w.Msg.Compress = true
		if n := w.Msg.Len(); w.Msg.Truncated != tc.cut || tc.cut && n > 1232 || !tc.cut && len(w.Msg.Answer) != 300 {
			t.Errorf("%s: %d octets, truncated %v", tc.client, n, w.Msg.Truncated)
		}
		r = new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA).SetEdns0(65535, false)
		if size, _ := d.ServeDNS(t.Context(), w, r); size != 65535 {
			t.Errorf("%s: the next plugin is told %d octets", tc.client, size)
		}
	}
}

// TestBareReplies checks that addresses of targets, which the plugin minimal drops, do not make a
// reply a cut one.
func TestBareReplies(t *testing.T) {
	for _, bare := range []bool{false, true} {
		d := testHandler(t)
		few := &cluster.Service{Key: cluster.Key{Namespace: "shop", Name: "few"}}
		for i := range 40 {
			few.ClusterIPs = append(few.ClusterIPs, netip.AddrFrom4([4]byte{10, 4, 0, byte(i)}))
		}
		for i := range 6 {
			few.Ports = append(few.Ports, cluster.Port{Name: fmt.Sprint("p", i), Protocol: "tcp", Number: 80 + uint16(i)})
		}
		txn := d.store.Begin()
		txn.ReplaceService(nil, few)
		txn.Commit()
		d.bare = bare
		r := new(dns.Msg).SetQuestion("few.shop.svc.cluster.local.", dns.TypeSRV)
		w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: "10.1.2.3"})
		if _, err := d.ServeDNS(t.Context(), request.NewScrubWriter(r, w), r); err != nil {
			t.Fatal(err)
		}
		if w.Msg.Truncated == bare || len(w.Msg.Answer) == 0 || bare && len(w.Msg.Extra) > 0 {
			t.Errorf("bare %v:\n%s", bare, w.Msg)
		}
	}
}
