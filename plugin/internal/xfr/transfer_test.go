package xfr

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/nonwriter"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// primary is a Primary with the real plugin transfer, as in a server block.
type primary struct {
	*Primary
	view  *resolve.View
	chain plugin.Handler
}

// nextRcode is the response code of the handler after all others.
const nextRcode = dns.RcodeNotZone

// testCluster is a handler whose zones can be transferred.
type testCluster struct{ *primary }

func (c testCluster) Transfer(name string, serial uint32) (<-chan []dns.RR, error) {
	return c.Primary.Transfer(ClusterZones{View: c.view}, name, serial)
}

func (testCluster) Name() string { return "kubernetes" }

func (testCluster) ServeDNS(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) {
	return nextRcode, nil
}

func newPrimary(t *testing.T) *primary {
	t.Helper()
	p := &primary{Primary: &Primary{Store: testStore(), Warn: func(text string) { t.Error(text) }}, view: &resolve.View{TTL: 5}}
	for _, name := range []string{clusterZone, "in-addr.arpa."} {
		o, err := resolve.ParseOrigin(name)
		if err != nil {
			t.Fatal(err)
		}
		p.view.Origins = append(p.view.Origins, o)
	}
	p.Serve(ClusterZones{View: p.view}, p.view.Origins)
	p.Policy = Policy{{Zones: []string{clusterZone, "in-addr.arpa."}, To: []string{"*"}}}
	p.Store.Checkpoint(100)
	c := caddy.NewTestController("dns", "transfer cluster.local in-addr.arpa {\n to *\n}")
	setup, err := caddy.DirectiveAction("dns", "transfer")
	if err == nil {
		err = setup(c)
	}
	if err != nil {
		t.Fatal(err)
	}
	next := dnsserver.GetConfig(c).Plugin[0](testCluster{p}).(*transfer.Transfer)
	next.Transferers = []transfer.Transferer{testCluster{p}}
	p.chain = p.Track(next)
	return p
}

func testStore() *cluster.Store {
	s := cluster.NewStore()
	txn := s.Begin()
	txn.PutNamespace("shop")
	put := func(svc cluster.Service) {
		svc.Namespace = "shop"
		txn.ReplaceService(nil, &svc)
	}
	put(cluster.Service{Key: cluster.Key{Name: "web"}, ClusterIPs: []netip.Addr{netip.MustParseAddr("10.0.0.1")}})
	for _, name := range []string{"away", "gone", "out"} {
		put(cluster.Service{Key: cluster.Key{Name: name}, Kind: cluster.ExternalName, Target: "www.example.com."})
	}
	txn.SetSynced()
	txn.Commit()
	return s
}

// put adds a Service to the store and makes a checkpoint with a serial.
func (p *primary) put(serial uint32, name, addr string) {
	txn := p.Store.Begin()
	txn.ReplaceService(nil, &cluster.Service{
		Key:        cluster.Key{Namespace: "shop", Name: name},
		ClusterIPs: []netip.Addr{netip.MustParseAddr(addr)},
	})
	txn.Commit()
	p.Store.Checkpoint(serial)
}

// receiver is a secondary that receives messages until it has enough.
type receiver struct {
	test.ResponseWriter
	enough  int // 0 for no end
	failing bool
	got     []*dns.Msg
}

func (s *receiver) WriteMsg(m *dns.Msg) error {
	if s.failing || s.enough > 0 && len(s.got) == s.enough {
		return errors.New("connection reset by peer")
	}
	s.got = append(s.got, m)
	return nil
}

func newReceiver(addr string) *receiver {
	return &receiver{ResponseWriter: test.ResponseWriter{TCP: true, RemoteIP: addr}}
}

// question returns a question for a zone; with a serial, for the difference from it.
func question(name string, serial uint32) *dns.Msg {
	if serial == 0 {
		return new(dns.Msg).SetAxfr(name)
	}
	return new(dns.Msg).SetIxfr(name, serial, "ns.dns."+name, "hostmaster."+name)
}

// pull returns a transfer in short form: a number for an SOA record, otherwise the owner.
func (p *primary) pull(t *testing.T, s *receiver, name string, serial uint32) string {
	t.Helper()
	s.got = nil
	if _, err := p.chain.ServeDNS(context.Background(), s, question(name, serial)); err != nil {
		t.Fatal(err)
	}
	return s.brief()
}

func (s *receiver) brief() string {
	var words []string
	for _, m := range s.got {
		for _, rr := range m.Answer {
			word, _, _ := strings.Cut(rr.Header().Name, ".")
			if soa, ok := rr.(*dns.SOA); ok {
				word = fmt.Sprint(soa.Serial)
			}
			words = append(words, word)
		}
	}
	return strings.Join(words, " ")
}

const (
	clusterZone = "cluster.local."
	home        = "10.0.0.53"
	// whole has the records of testStore's zone before its Services.
	whole = " cluster away gone out web "
)

// A secondary gets the difference from a serial that it was sent, and the whole
// zone from any other.
func TestIncrementalTransfer(t *testing.T) {
	p, a, b := newPrimary(t), newReceiver("10.0.0.2"), newReceiver("10.0.0.3")
	expect := func(s *receiver, serial uint32, want string) {
		t.Helper()
		if got := p.pull(t, s, clusterZone, serial); got != want {
			t.Errorf("from %d: got %q, want %q", serial, got, want)
		}
	}
	expect(a, 0, "100"+whole+"100")
	expect(a, 100, "100")
	expect(b, 100, "100"+whole+"100")
	p.put(101, "x", home)
	expect(a, 100, "101 100 101 x 101")
	expect(a, 101, "101")
	p.put(105, "y", home)
	expect(a, 103, "105"+whole+"x y 105")
	expect(a, 200, "105") // P7: it has a newer one (RFC 1995 2)
	expect(a, 105, "105")
	expect(a, 100, "105 100 105 x y 105")
	expect(a, 101, "105 101 105 y 105")
	expect(b, 101, "105"+whole+"x y 105")
	p.put(106, "z", home)
	expect(b, 105, "106 105 106 z 106")
}

// A change that no transfer shows is a difference without records.
func TestEmptyDifference(t *testing.T) {
	p, s := newPrimary(t), newReceiver("10.0.0.2")
	p.pull(t, s, clusterZone, 0)
	txn := p.Store.Begin()
	txn.PutNamespace("empty")
	txn.Commit()
	p.Store.Checkpoint(101)
	if got := p.pull(t, s, clusterZone, 100); got != "101 100 101 101" {
		t.Errorf("got %q", got)
	}
}

// A transfer that was not received to the end does not count.
func TestBrokenTransfer(t *testing.T) {
	p, s := newPrimary(t), newReceiver("10.0.0.2")
	for i := range 2000 { // more than one message
		p.put(uint32(101+i), fmt.Sprintf("a-rather-long-name-%04d", i), home)
	}
	serial := p.Store.LoadCheckpoint().Serial()
	s.enough = 1
	if _, err := p.chain.ServeDNS(context.Background(), s, question(clusterZone, 0)); err == nil || len(s.got) != 1 {
		t.Fatalf("error %v after %d messages", err, len(s.got))
	}
	s.enough = 0
	for _, want := range []bool{true, false} {
		p.pull(t, s, clusterZone, serial)
		if isWhole := len(s.got) > 1; isWhole != want {
			t.Errorf("%d messages", len(s.got))
		}
	}
}

// D18: only our forward zones can be transferred, and nothing before the first sync.
func TestD18WhatIsTransferred(t *testing.T) {
	for _, tc := range []struct {
		zone string
		want int
	}{
		{clusterZone, dns.RcodeSuccess},
		{"ClusTer.LOCAL.", dns.RcodeSuccess},
		{"shop.svc.cluster.local.", nextRcode},
		{"in-addr.arpa.", nextRcode},
		{"10.in-addr.arpa.", nextRcode},
		{"example.com.", nextRcode},
	} {
		p, s := newPrimary(t), newReceiver("10.0.0.2")
		code, err := p.chain.ServeDNS(context.Background(), s, question(tc.zone, 0))
		if err != nil || code != tc.want || (len(s.got) > 0) != (code == dns.RcodeSuccess) {
			t.Errorf("%s: %s, error %v, %d messages", tc.zone, dns.RcodeToString[code], err, len(s.got))
		}
	}
	p, s := newPrimary(t), newReceiver("10.0.0.2")
	p.Store = cluster.NewStore()
	code, err := p.chain.ServeDNS(context.Background(), s, question(clusterZone, 0))
	if code != dns.RcodeServerFailure || !errors.Is(err, errNotSynced) || len(s.got) > 0 {
		t.Errorf("not synced: %s, error %v, %d messages", dns.RcodeToString[code], err, len(s.got))
	}
}

// P1: after a reload nothing is transferred under a serial that the instance before may have
// sent with other data, however long that instance takes to end.
func TestP1ReloadThatDoesNotEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := newPrimary(t), newReceiver("10.0.0.2")
		renewed := make(chan struct{})
		p.Renewed = renewed
		code, err := p.chain.ServeDNS(context.Background(), s, question(clusterZone, 0))
		if code != dns.RcodeServerFailure || !errors.Is(err, errNotRenewed) || len(s.got) > 0 {
			t.Errorf("%s, error %v, %d messages", dns.RcodeToString[code], err, len(s.got))
		}
		time.AfterFunc(reloadSerial/2, func() { close(renewed) })
		p.pull(t, s, clusterZone, 0)
		ended := make(chan struct{})
		p.Ended = ended
		p.pull(t, s, clusterZone, 0)
		close(ended)
		if _, err := p.chain.ServeDNS(context.Background(), s, question(clusterZone, 0)); !errors.Is(err, errEnded) {
			t.Errorf("after the end: error %v", err)
		}
	})
}

// D18: all records of a transfer have the zone's TTL, the name servers' addresses included,
// and none is repeated.
func TestD18NameServersInTransfer(t *testing.T) {
	p, s := newPrimary(t), newReceiver("10.0.0.2")
	p.view.Local = []netip.Addr{netip.MustParseAddr(home)}
	p.pull(t, s, clusterZone, 0)
	seen := map[string]bool{}
	for _, rr := range s.got[0].Answer[1:] {
		if text := rr.String(); seen[text] || rr.Header().Ttl != p.view.TTL {
			t.Errorf("TTL %d, or twice: %s", rr.Header().Ttl, text)
		}
		seen[rr.String()] = true
	}
	if !seen["ns.dns.cluster.local.\t5\tIN\tA\t"+home] {
		t.Errorf("no address of the name server: %v", s.got[0].Answer)
	}
}

// A question that is not for a transfer passes unchanged.
func TestTrackerPassesOn(t *testing.T) {
	p := newPrimary(t)
	odd := question(clusterZone, 7)
	odd.Ns = slices.Repeat(odd.Ns, 2)
	for _, r := range []*dns.Msg{new(dns.Msg).SetQuestion(clusterZone, dns.TypeSOA), odd, question("example.com.", 7)} {
		text := r.String()
		var seen *dns.Msg
		h := p.Track(plugin.HandlerFunc(func(_ context.Context, _ dns.ResponseWriter, r *dns.Msg) (int, error) {
			seen = r
			return nextRcode, nil
		}))
		code, err := h.ServeDNS(context.Background(), newReceiver("10.0.0.2"), r)
		if seen != r || r.String() != text || code != nextRcode || err != nil {
			t.Errorf("%s\nbecame\n%s\n%d %v", text, seen, code, err)
		}
	}
}

// P7: over UDP, the answer to a question for a difference is the SOA record alone, so that
// the secondary asks again over TCP (RFC 1995 2), spelled as in the question. A question for the whole
// zone is refused, and so is a client without permission.
func TestP7DifferenceOverUDP(t *testing.T) {
	for _, tc := range []struct {
		name, zone, client string
		serial             uint32
		want               string
		code               int
	}{
		{"difference", clusterZone, "10.0.0.2", 7, "100", dns.RcodeSuccess},
		{"newer", clusterZone, "10.0.0.2", 107, "100", dns.RcodeSuccess},
		{"letter case", "CLUSTER.local.", "10.0.0.2", 7, "100", dns.RcodeSuccess},
		{"whole", clusterZone, "10.0.0.2", 0, "", dns.RcodeRefused},
		{"not allowed", clusterZone, "10.0.0.3", 7, "", dns.RcodeRefused},
		{"no zone", "shop.svc.cluster.local.", "10.0.0.2", 7, "", dns.RcodeRefused},
	} {
		p := newPrimary(t)
		p.Policy = Policy{{Zones: []string{"."}, To: []string{"10.0.0.2:53"}}}
		s := &receiver{ResponseWriter: test.ResponseWriter{RemoteIP: tc.client}}
		code, err := p.chain.ServeDNS(context.Background(), s, question(tc.zone, tc.serial))
		if got := s.brief(); err != nil || code != tc.code || got != tc.want {
			t.Errorf("%s: %q, %s, %v", tc.name, got, dns.RcodeToString[code], err)
		}
		for _, m := range s.got {
			soa := m.Answer[0].(*dns.SOA)
			if soa.Hdr.Name != tc.zone || soa.Ns != "ns.dns."+tc.zone || soa.Mbox != "hostmaster."+tc.zone {
				t.Errorf("%s: %s", tc.name, soa)
			}
		}
	}
}

// The reply repeats what was asked, also if a plugin ahead of transfer has the question otherwise from
// then on, as rewrite does.
func TestDifferenceOverUDPBeforeRewrite(t *testing.T) {
	p := newPrimary(t)
	h := p.Track(plugin.HandlerFunc(func(_ context.Context, _ dns.ResponseWriter, r *dns.Msg) (int, error) {
		r.Question[0].Name = "k8s."
		return dns.RcodeRefused, nil
	}))
	s := &receiver{ResponseWriter: test.ResponseWriter{RemoteIP: "10.0.0.2"}}
	if code, err := h.ServeDNS(context.Background(), s, question(clusterZone, 7)); code != dns.RcodeSuccess || err != nil {
		t.Fatalf("%s, %v", dns.RcodeToString[code], err)
	}
	if m := s.got[0]; m.Question[0].Name != clusterZone || m.Answer[0].Header().Name != clusterZone {
		t.Error(m)
	}
}

// P8: over transports for which CoreDNS sends only the last message of a transfer, there is
// no transfer.
func TestP8TransferOverHTTPS(t *testing.T) {
	for addr, want := range map[string]int{
		"dns://:53": dns.RcodeSuccess, "tls://:853": dns.RcodeSuccess,
		"https://:443": dns.RcodeRefused, "grpc://:443": dns.RcodeRefused, "https3://:443": dns.RcodeRefused,
	} {
		p, s := newPrimary(t), newReceiver("10.0.0.2")
		ctx := context.WithValue(context.Background(), dnsserver.Key{}, &dnsserver.Server{Addr: addr})
		code, err := p.chain.ServeDNS(ctx, s, question(clusterZone, 0))
		if err != nil || code != want || (len(s.got) > 0) != (want == dns.RcodeSuccess) {
			t.Errorf("%s: %s, error %v, %d messages", addr, dns.RcodeToString[code], err, len(s.got))
		}
	}
}

// A secondary that asks for the difference as soon as it has the last message gets it.
func TestNotedBeforeTheLastMessage(t *testing.T) {
	p := newPrimary(t)
	asked := &asking{receiver: newReceiver("10.0.0.2")}
	asked.then = func() { p.pull(t, asked.receiver, clusterZone, 100) }
	if _, err := p.chain.ServeDNS(context.Background(), asked, question(clusterZone, 0)); err != nil {
		t.Fatal(err)
	}
	if got := asked.brief(); got != "100" {
		t.Errorf("got %q", got)
	}
}

// asking does something as soon as it has received a message.
type asking struct {
	*receiver
	then func()
}

func (a *asking) WriteMsg(m *dns.Msg) error {
	err := a.receiver.WriteMsg(m)
	a.then()
	return err
}

// A transfer that did not arrive is not recorded, and the record of an earlier one stays.
func TestForgetsWhatDidNotArrive(t *testing.T) {
	p, s := newPrimary(t), newReceiver("10.0.0.2")
	p.pull(t, s, clusterZone, 0)
	p.put(101, "x", home)
	s.failing = true
	if _, err := p.chain.ServeDNS(context.Background(), s, question(clusterZone, 100)); err == nil {
		t.Error("no error of a broken connection")
	}
	s.failing = false
	if got := p.pull(t, s, clusterZone, 101); got != "101"+whole+"x 101" {
		t.Errorf("from what did not arrive: %q", got)
	}
	if got := p.pull(t, s, clusterZone, 100); got != "101 100 101 x 101" {
		t.Errorf("from what arrived: %q", got)
	}
}

// P14: if a plugin lets only the last message through, nothing is recorded.
func TestP14OnlyTheLastMessagePasses(t *testing.T) {
	p, s := newPrimary(t), newReceiver("10.0.0.2")
	var warnings []string
	p.Warn = func(text string) { warnings = append(warnings, text) }
	for i := range 2000 {
		p.put(uint32(101+i), fmt.Sprintf("a-rather-long-name-%04d", i), home)
	}
	inner := p.chain.(*secondaryTracker).next
	h := p.Track(plugin.HandlerFunc(func(ctx context.Context, w dns.ResponseWriter, r *dns.Msg) (int, error) {
		last := nonwriter.New(w)
		code, err := inner.ServeDNS(ctx, last, r)
		if err == nil {
			_ = w.WriteMsg(last.Msg)
		}
		return code, err
	}))
	code, err := h.ServeDNS(context.Background(), s, question(clusterZone, 0))
	if code != dns.RcodeServerFailure || !errors.Is(err, errCut) || len(s.got) > 0 || len(warnings) != 1 {
		t.Errorf("%s, %v, %d messages, warnings %q", dns.RcodeToString[code], err, len(s.got), warnings)
	}
}

// The plugin transfer is not trusted: only a serial in a question counts, not one that
// another handler passes on.
func TestSerialWithoutAGrant(t *testing.T) {
	p, s := newPrimary(t), newReceiver("10.0.0.2")
	p.pull(t, s, clusterZone, 0)
	for _, serial := range []uint32{1, 99, 100, 101} {
		records, err := p.Transfer(ClusterZones{View: p.view}, clusterZone, serial)
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for batch := range records {
			count += len(batch)
		}
		if count < 5 {
			t.Errorf("serial %d: %d records", serial, count)
		}
	}
}
