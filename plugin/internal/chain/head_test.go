package chain

import (
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/tcp"
)

// connection is the writer of a transport. It keeps what is written as octets.
type connection struct {
	sink
	octets []byte
}

func (*connection) ConnectionState() *tls.ConnectionState { return nil }
func (c *connection) Write(wire []byte) (int, error) {
	c.octets = append(c.octets, wire...)
	return len(wire), nil
}

// emptyCluster returns the zones of a server block whose cluster has nothing.
func emptyCluster(t *testing.T) reply.Zones {
	t.Helper()
	origin, err := resolve.ParseOrigin("cluster.local.")
	if err != nil {
		t.Fatal(err)
	}
	store := cluster.NewStore()
	txn := store.Begin()
	txn.SetSynced()
	txn.Commit()
	return reply.Zones{{Origin: origin, Block: &reply.Block{Store: store, View: &resolve.View{Origins: []resolve.Origin{origin}, TTL: 5}}}}
}

// failing returns zones whose questions cause a panic.
func failing(zones reply.Zones) reply.Zones {
	block := *zones[0].Block
	block.Claimed = func(*answer.Question, netip.Addr) bool { panic("of the test") }
	return reply.Zones{{Origin: zones[0].Origin, Block: &block}}
}

// The first handler answers a question over a connection, and no other. A plugin that looks a
// name up inside the server gets its answer as a message, from the chain.
func TestHeadAnswersConnections(t *testing.T) {
	const name = "web.shop.svc.cluster.local."
	zones := emptyCluster(t)
	padding := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT, Class: 1232}, Option: []dns.EDNS0{new(dns.EDNS0_PADDING)}}
	inside := func(w dns.ResponseWriter) dns.ResponseWriter { return nonwriter.New(w) }
	for _, tc := range []struct {
		what     string
		server   string
		remote   net.Addr
		wrap     func(dns.ResponseWriter) dns.ResponseWriter
		name     string
		extra    []dns.RR
		zones    reply.Zones
		answered bool
		panics   int
	}{
		{what: "TCP", server: "dns://:53", remote: tcpClient(), name: name, zones: zones, answered: true},
		{what: "TLS", server: "tls://:853", remote: tcpClient(), name: name, zones: zones, answered: true},
		{what: "QUIC", server: "quic://:853", remote: udpClient(), name: name, zones: zones, answered: true},
		{what: "UDP", server: "dns://:53", remote: udpClient(), name: name, zones: zones},
		{what: "a look-up inside", server: "dns://:53", remote: tcpClient(), wrap: inside, name: name, zones: zones},
		{what: "padding", server: "tls://:853", remote: tcpClient(), name: name, extra: []dns.RR{padding}, zones: zones},
		{what: "another zone", server: "dns://:53", remote: tcpClient(), name: "example.org.", zones: zones},
		{what: "a panic", server: "dns://:53", remote: tcpClient(), name: name, zones: failing(zones), panics: 1},
		{what: "all handed over", server: "dns://:53", remote: tcpClient(), name: name},
	} {
		passed, panics := false, 0
		h := first{
			next: plugin.HandlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
				passed = true
				return dns.RcodeSuccess, nil
			}),
			head: func(*dnsserver.Server) *tcp.Server {
				if tc.zones == nil {
					return nil
				}
				return &tcp.Server{Zones: tc.zones, Panicked: func(any) { panics++ }}
			},
		}
		client := &connection{sink: sink{remote: tc.remote}}
		var w dns.ResponseWriter = client
		if tc.wrap != nil {
			w = tc.wrap(w)
		}
		r := new(dns.Msg).SetQuestion(name, dns.TypeA)
		r.Question[0].Name, r.Extra = tc.name, tc.extra
		ctx := context.WithValue(t.Context(), dnsserver.Key{}, &dnsserver.Server{Addr: tc.server})
		if _, err := h.ServeDNS(ctx, request.NewScrubWriter(r, w), r); err != nil {
			t.Fatal(err)
		}
		m := new(dns.Msg)
		if answered := m.Unpack(client.octets) == nil && m.Rcode == dns.RcodeNameError; answered != tc.answered || passed == tc.answered {
			t.Errorf("%s: answered %t, passed %t, want %t", tc.what, answered, passed, tc.answered)
		}
		if panics != tc.panics {
			t.Errorf("%s: %d panics, want %d", tc.what, panics, tc.panics)
		}
	}
}
