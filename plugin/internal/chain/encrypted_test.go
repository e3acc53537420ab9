package chain

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"slices"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// sink is the writer of a transport. It keeps the last message.
type sink struct {
	dns.ResponseWriter
	remote net.Addr
	m      *dns.Msg
}

func (s *sink) RemoteAddr() net.Addr      { return s.remote }
func (s *sink) WriteMsg(m *dns.Msg) error { s.m = m; return nil }
func udpClient() net.Addr                 { return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711} }
func tcpClient() net.Addr                 { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 4711} }
func answering(records int) plugin.HandlerFunc {
	return func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		m := new(dns.Msg).SetReply(r)
		for i := range records {
			m.Answer = append(m.Answer, &dns.A{
				Hdr: dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET}, A: net.IPv4(10, 0, byte(i>>8), byte(i)),
			})
		}
		return dns.RcodeSuccess, w.WriteMsg(m)
	}
}

// exchange sends a question as CoreDNS does, and packs and unpacks the reply.
func exchange(t *testing.T, addr string, remote net.Addr, records int, options ...dns.EDNS0) *dns.Msg {
	t.Helper()
	r := new(dns.Msg).SetQuestion("web.shop.svc.cluster.local.", dns.TypeA)
	r.SetEdns0(1232, false)
	r.IsEdns0().Option = options
	to := &sink{remote: remote}
	ctx := context.WithValue(t.Context(), dnsserver.Key{}, &dnsserver.Server{Addr: addr})
	if _, err := (&encrypted{answering(records)}).ServeDNS(ctx, request.NewScrubWriter(r, to), r); err != nil {
		t.Fatal(err)
	}
	packed, err := to.m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	m := new(dns.Msg)
	if err := m.Unpack(packed); err != nil {
		t.Fatal(err)
	}
	if hasPadding(m) && len(packed)%paddingBlock != 0 && len(packed) != dns.MaxMsgSize {
		t.Errorf("%s: %d octets, want a multiple of %d", addr, len(packed), paddingBlock)
	}
	return m
}

// P11: over QUIC and HTTP/3 a reply is not cut at the size for datagrams.
func TestP11StreamsAreNotCut(t *testing.T) {
	for addr, cut := range map[string]bool{
		"quic://:853": false, "https3://:443": false, "dns://:53": true,
	} {
		m := exchange(t, addr, udpClient(), 500)
		if m.Truncated != cut || (len(m.Answer) < 500) != cut {
			t.Errorf("%s: %d records, TC %v", addr, len(m.Answer), m.Truncated)
		}
	}
}

// P11: a reply is padded over an encrypted transport if its question is, and only then.
func TestP11Padding(t *testing.T) {
	padding := &dns.EDNS0_PADDING{Padding: make([]byte, 80)}
	for addr, remote := range map[string]net.Addr{
		"tls://:853": tcpClient(), "https://:443": tcpClient(), "quic://:853": udpClient(), "https3://:443": udpClient(),
	} {
		for _, records := range []int{0, 1, 20, 27, 28, 29, 500, 4080, 4090} {
			if m := exchange(t, addr, remote, records, padding); !hasPadding(m) || len(m.Answer) != records {
				t.Errorf("%s: %d records of %d, padded %v", addr, len(m.Answer), records, hasPadding(m))
			}
		}
		if m := exchange(t, addr, remote, 1); hasPadding(m) {
			t.Errorf("%s: padding that was not asked for", addr)
		}
	}
	for addr, remote := range map[string]net.Addr{"dns://:53": udpClient(), "grpc://:443": tcpClient()} {
		if m := exchange(t, addr, remote, 1, padding); hasPadding(m) {
			t.Errorf("%s: padding", addr)
		}
	}
	if m := exchange(t, "tls://:853", tcpClient(), 4094, padding, new(dns.EDNS0_NSID)); len(m.IsEdns0().Option) != 1 {
		t.Errorf("%v, want one option", m.IsEdns0().Option)
	}
}

// P11: so is a failure that CoreDNS writes when the chain has only returned it.
func TestP11FailuresArePadded(t *testing.T) {
	failing := plugin.HandlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) { return dns.RcodeServerFailure, nil })
	for _, addr := range []string{"tls://:853", "https://:443", "quic://:853", "https3://:443"} {
		r := new(dns.Msg).SetQuestion("www.example.com.", dns.TypeA).SetEdns0(1232, false)
		r.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_PADDING{Padding: make([]byte, 80)}}
		config := &dnsserver.Config{Zone: ".", ListenHosts: []string{""}, Port: "853"}
		config.AddPlugin(func(plugin.Handler) plugin.Handler { return &encrypted{failing} })
		server, err := dnsserver.NewServer(addr, []*dnsserver.Config{config})
		if err != nil {
			t.Fatal(err)
		}
		to := &sink{remote: tcpClient()}
		server.ServeDNS(context.WithValue(t.Context(), dnsserver.Key{}, server), to, r)
		if to.m == nil || to.m.Rcode != dns.RcodeServerFailure || !hasPadding(to.m) || to.m.Len()%paddingBlock != 0 {
			t.Errorf("%s: want SERVFAIL of a multiple of %d octets, got\n%v", addr, paddingBlock, to.m)
		}
	}
}

// P11: a server with tls:// offers the protocol of RFC 9103.
func TestP11DoTIsOffered(t *testing.T) {
	for key, want := range map[string]string{"tls://cluster.local.:853": "[dot]", "dns://cluster.local.:53": "[]", "https://cluster.local.:443": "[]"} {
		server := &dnsserver.Config{TLSConfig: new(tls.Config)}
		for range 2 {
			offerDoT(server, []string{"dns://example.org.:53", key})
		}
		if got := fmt.Sprint(server.TLSConfig.NextProtos); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	offerDoT(new(dnsserver.Config), []string{"tls://.:853"}) // without the plugin tls
	if !slices.Equal([]bool{fitsEncrypted([]string{"dns://.:53"}), fitsEncrypted([]string{"dns://.:53", "quic://.:853"})}, []bool{false, true}) {
		t.Error("the transports of a server block are mistaken")
	}
}
