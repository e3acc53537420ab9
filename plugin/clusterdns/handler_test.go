package clusterdns

import (
	"context"
	"errors"
	"net/netip"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// upstreamFunc stands for the rest of the server.
type upstreamFunc func(name string, qtype uint16) (*dns.Msg, error)

func (f upstreamFunc) Lookup(_ context.Context, _ request.Request, name string, qtype uint16) (*dns.Msg, error) {
	return f(name, qtype)
}

// nextRcode is the response code of the next plugin, which shows that it was asked.
const nextRcode = dns.RcodeYXDomain

func testHandler(t *testing.T) *ClusterDNS {
	t.Helper()
	cfg, err := parseText(t, "kubernetes cluster.local in-addr.arpa {\n fallthrough in-addr.arpa drop.svc.cluster.local\n}")
	if err != nil {
		t.Fatal(err)
	}
	d := &ClusterDNS{
		directive: "kubernetes",
		gate:      new(chain.CacheGate),
		view:      cfg.view,
		fall:      cfg.fall,
		store:     testStore(),
		answers:   collectors.Servers(),
		Next: plugin.HandlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
			return nextRcode, nil
		}),
		upstream: upstreamFunc(func(string, uint16) (*dns.Msg, error) { return nil, errors.New("not to be asked") }),
	}
	d.started.Store(true)
	d.listening.Store(true)
	return d
}

func testStore() *cluster.Store {
	s := cluster.NewStore()
	txn := s.Begin()
	for _, name := range []string{"shop", "drop"} {
		txn.PutNamespace(name)
	}
	put := func(svc cluster.Service) { txn.ReplaceService(nil, &svc) }
	put(cluster.Service{Key: cluster.Key{Namespace: "shop", Name: "web"}, ClusterIPs: []netip.Addr{netip.MustParseAddr("10.0.0.1")}})
	put(cluster.Service{Key: cluster.Key{Namespace: "shop", Name: "out"}, Kind: cluster.ExternalName, Target: "www.example.com."})
	put(cluster.Service{Key: cluster.Key{Namespace: "shop", Name: "gone"}, Kind: cluster.ExternalName, Target: "no.shop.svc.cluster.local."})
	put(cluster.Service{Key: cluster.Key{Namespace: "shop", Name: "away"}, Kind: cluster.ExternalName, Target: "no.drop.svc.cluster.local."})
	txn.SetSynced()
	txn.Commit()
	return s
}

func ask(t *testing.T, d *ClusterDNS, name string, qtype uint16) (int, *dns.Msg) {
	t.Helper()
	r := new(dns.Msg).SetQuestion(name, qtype)
	w := dnstest.NewRecorder(&test.ResponseWriter{})
	rcode, err := d.ServeDNS(context.Background(), w, r)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return rcode, w.Msg
}

func TestServeDNS(t *testing.T) {
	for _, tc := range []struct {
		name  string
		qtype uint16
		rcode int
		count string // numbers of records in answer, authority and additional
	}{
		{"web.shop.svc.cluster.local.", dns.TypeA, dns.RcodeSuccess, "1 0 0"},
		{"WEB.shop.svc.Cluster.Local.", dns.TypeA, dns.RcodeSuccess, "1 0 0"},
		{"web.shop.svc.cluster.local.", dns.TypeAAAA, dns.RcodeSuccess, "0 1 0"},
		{"no.shop.svc.cluster.local.", dns.TypeA, dns.RcodeNameError, "0 1 0"},
		{"gone.shop.svc.cluster.local.", dns.TypeA, dns.RcodeNameError, "1 1 0"},
		{"cluster.local.", dns.TypeSOA, dns.RcodeSuccess, "1 0 0"},
		{"1.0.0.10.in-addr.arpa.", dns.TypePTR, dns.RcodeSuccess, "1 0 0"},
	} {
		_, m := ask(t, testHandler(t), tc.name, tc.qtype)
		if m == nil {
			t.Errorf("%s: no reply", tc.name)
			continue
		}
		if got := counts(m); m.Rcode != tc.rcode || got != tc.count || !m.Authoritative || !m.Response {
			t.Errorf("%s: want %s with %s, got\n%s", tc.name, dns.RcodeToString[tc.rcode], tc.count, m)
		}
		if m.Question[0].Name != tc.name || len(m.Answer) > 0 && m.Answer[0].Header().Name != tc.name {
			t.Errorf("%s: the spelling was not kept:\n%s", tc.name, m)
		}
	}
}

func counts(m *dns.Msg) string {
	digits := []byte{'0' + byte(len(m.Answer)), ' ', '0' + byte(len(m.Ns)), ' ', '0' + byte(len(m.Extra))}
	return string(digits)
}

func TestServeDNSLeavesToNext(t *testing.T) {
	d := testHandler(t)
	for _, name := range []string{"www.example.com.", "9.9.9.9.in-addr.arpa.", "no.drop.svc.cluster.local."} {
		if rcode, m := ask(t, d, name, dns.TypeA); rcode != nextRcode || m != nil {
			t.Errorf("%s was not left to the next plugin: %d\n%v", name, rcode, m)
		}
	}
}

func TestServeDNSRefusesTransfers(t *testing.T) {
	for _, qtype := range []uint16{dns.TypeAXFR, dns.TypeIXFR} {
		if rcode, m := ask(t, testHandler(t), "cluster.local.", qtype); rcode != dns.RcodeRefused || m != nil {
			t.Errorf("%s: got %d\n%v", dns.TypeToString[qtype], rcode, m)
		}
	}
}

// D4: before the first sync no name is denied and none falls through.
func TestD4NotReady(t *testing.T) {
	d := testHandler(t)
	d.store = cluster.NewStore()
	if d.Ready() {
		t.Error("ready without data")
	}
	for _, name := range []string{"web.shop.svc.cluster.local.", "9.9.9.9.in-addr.arpa.", "no.drop.svc.cluster.local.", "cluster.local."} {
		_, m := ask(t, d, name, dns.TypeA)
		if m == nil || m.Rcode != dns.RcodeServerFailure || len(m.Ns) != 1 {
			t.Errorf("%s: want SERVFAIL with the SOA, got\n%v", name, m)
		}
	}
}

// D5: SOA at a name below the apex is like any other type.
func TestD5SOABelowTheApex(t *testing.T) {
	d := testHandler(t)
	for name, rcode := range map[string]int{
		"no.shop.svc.cluster.local.": dns.RcodeNameError, "absent.cluster.local.": dns.RcodeNameError, "web.shop.svc.cluster.local.": dns.RcodeSuccess,
	} {
		if _, m := ask(t, d, name, dns.TypeSOA); m == nil || m.Rcode != rcode || counts(m) != "0 1 0" {
			t.Errorf("%s: want %s, got\n%v", name, dns.RcodeToString[rcode], m)
		}
	}
	if rcode, m := ask(t, d, "no.drop.svc.cluster.local.", dns.TypeSOA); rcode != nextRcode || m != nil {
		t.Errorf("not left to the next plugin: %d\n%v", rcode, m)
	}
}

// D14: the last name of a chain of aliases decides the response code (RFC 6604 3).
func TestD14Upstream(t *testing.T) {
	answer := test.A("www.example.com. 60 IN A 192.0.2.1")
	soa := test.SOA("example.com. 60 IN SOA ns. host. 1 2 3 4 5")
	ns := test.NS("example.com. 60 IN NS ns.")
	for _, tc := range []struct {
		title string
		up    *dns.Msg
		err   error
		rcode int
		count string
	}{
		{"found", &dns.Msg{Answer: []dns.RR{answer}, Ns: []dns.RR{ns}}, nil, dns.RcodeSuccess, "2 0 0"},
		{"no data", &dns.Msg{Ns: []dns.RR{soa, ns}}, nil, dns.RcodeSuccess, "1 1 0"},
		{"no data behind an alias", &dns.Msg{Answer: []dns.RR{test.CNAME("www.example.com. 60 IN CNAME a.example.com.")}, Ns: []dns.RR{soa}}, nil, dns.RcodeSuccess, "2 1 0"},
		{"no name", withRcode(dns.RcodeNameError, soa), nil, dns.RcodeNameError, "1 1 0"},
		{"failed", withRcode(dns.RcodeServerFailure), nil, dns.RcodeServerFailure, "1 0 0"},
		{"nobody to ask", withRcode(dns.RcodeRefused), nil, dns.RcodeSuccess, "1 0 0"},
		{"no reply", nil, nil, dns.RcodeServerFailure, "1 0 0"},
		{"error", nil, errors.New("broken"), dns.RcodeServerFailure, "1 0 0"},
	} {
		d := testHandler(t)
		d.upstream = upstreamFunc(func(name string, qtype uint16) (*dns.Msg, error) {
			if name != "www.example.com." || qtype != dns.TypeTXT {
				t.Errorf("%s: asked for %s %d", tc.title, name, qtype)
			}
			return tc.up, tc.err
		})
		_, m := ask(t, d, "out.shop.svc.cluster.local.", dns.TypeTXT)
		if m.Rcode != tc.rcode || counts(m) != tc.count || m.Answer[0].Header().Rrtype != dns.TypeCNAME {
			t.Errorf("%s: want %s with %s, got\n%s", tc.title, dns.RcodeToString[tc.rcode], tc.count, m)
		}
	}
}

func withRcode(rcode int, ns ...dns.RR) *dns.Msg {
	return &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: rcode}, Ns: ns}
}

// A name in the zone that falls through in a question also falls through as the target of
// an alias.
func TestAliasFallsThrough(t *testing.T) {
	d := testHandler(t)
	d.upstream = upstreamFunc(func(name string, _ uint16) (*dns.Msg, error) {
		return &dns.Msg{Answer: []dns.RR{test.A(name + " 60 IN A 192.0.2.1")}}, nil
	})
	_, m := ask(t, d, "away.shop.svc.cluster.local.", dns.TypeA)
	if m.Rcode != dns.RcodeSuccess || counts(m) != "2 0 0" {
		t.Errorf("want the alias and the address behind it, got\n%s", m)
	}
}

func TestTruncatedUpstream(t *testing.T) {
	d := testHandler(t)
	d.upstream = upstreamFunc(func(string, uint16) (*dns.Msg, error) {
		return &dns.Msg{MsgHdr: dns.MsgHdr{Truncated: true}}, nil
	})
	if _, m := ask(t, d, "out.shop.svc.cluster.local.", dns.TypeA); !m.Truncated {
		t.Errorf("the client is not told that the answer is cut:\n%s", m)
	}
}

func TestName(t *testing.T) {
	if d := testHandler(t); d.Name() != "kubernetes" || !d.Ready() {
		t.Error("the handler is not ready, or not known by the name of its directive")
	}
}

// A server is ready when its sockets are open, which is after all plugins have started.
func TestReadyWaitsForTheSockets(t *testing.T) {
	for _, tc := range []struct {
		transport string
		waits     bool
	}{{transport.DNS, true}, {transport.TLS, false}} {
		d, server := testHandler(t), &dnsserver.Config{Transport: tc.transport}
		f := fastpath.Of(caddy.NewTestController("dns", ""), collectors.FastPath(), clog.NewWithPlugin("kubernetes"))
		f.Join(server, d.onFastPath(0))
		if d.Ready() == tc.waits {
			t.Errorf("%s: ready is %v before a socket is open", tc.transport, d.Ready())
		}
		if server.UDPDecorateWriterFunc(new(dnsserver.Server)); !d.Ready() {
			t.Errorf("%s: not ready with its sockets open", tc.transport)
		}
	}
}

// TestReplyIsSetReply compares the header of our replies with that of miekg/dns.
func TestReplyIsSetReply(t *testing.T) {
	for result, rcode := range map[resolve.Result]int{
		resolve.Success: dns.RcodeSuccess, resolve.NoData: dns.RcodeSuccess, resolve.NXDomain: dns.RcodeNameError,
		resolve.NotReady: dns.RcodeServerFailure, resolve.FollowTarget: dns.RcodeSuccess, resolve.Referral: dns.RcodeSuccess,
	} {
		for bits := range 1 << 16 {
			wire := []byte{1, 2, byte(bits >> 8), byte(bits), 0, 1, 0, 0, 0, 0, 0, 0, 1, 'A', 0, 0, 28, 0, 1}
			r := new(dns.Msg)
			if err := r.Unpack(wire); err != nil {
				t.Fatal(err)
			}
			want := new(dns.Msg).SetRcode(r, rcode)
			want.Authoritative = true
			if got := message(r, &answer.Answer{Result: result}); got.String() != want.String() {
				t.Fatalf("%v of %s: got\n%s\nwant\n%s", result, r, got, want)
			}
		}
	}
	if m := message(new(dns.Msg), new(answer.Answer)); len(m.Question) > 0 {
		t.Errorf("a question where there was none: %s", m)
	}
}
