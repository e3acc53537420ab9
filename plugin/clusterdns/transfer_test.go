package clusterdns

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/zone"
	"github.com/clusterdns/clusterdns/test/await"
)

// primary is our handler behind the real transfer plugin, as in a server block.
type primary struct {
	d     *ClusterDNS
	chain plugin.Handler
}

func newPrimary(t *testing.T) *primary {
	t.Helper()
	d := testHandler(t)
	d.store.Checkpoint(100)
	c := caddy.NewTestController("dns", "transfer cluster.local in-addr.arpa {\n to *\n}")
	setup, err := caddy.DirectiveAction("dns", "transfer")
	if err == nil {
		err = setup(c)
	}
	if err != nil {
		t.Fatal(err)
	}
	next := dnsserver.GetConfig(c).Plugin[0](d).(*transfer.Transfer)
	next.Transferers = []transfer.Transferer{d}
	return &primary{d, &witness{next: next, d: d}}
}

// put gives the store a Service, and the Service a serial.
func (p *primary) put(serial uint32, name, addr string) {
	txn := p.d.store.Begin()
	txn.ReplaceService(nil, &zone.Service{
		Key:        zone.Key{Namespace: "shop", Name: name},
		ClusterIPs: []netip.Addr{netip.MustParseAddr(addr)},
	})
	txn.Commit()
	p.d.store.Checkpoint(serial)
}

// secondary receives messages until it has had enough of them.
type secondary struct {
	test.ResponseWriter
	enough int // 0 for no end
	got    []*dns.Msg
}

func (s *secondary) WriteMsg(m *dns.Msg) error {
	if s.enough > 0 && len(s.got) == s.enough {
		return errors.New("connection reset by peer")
	}
	s.got = append(s.got, m)
	return nil
}

func newSecondary(addr string) *secondary {
	return &secondary{ResponseWriter: test.ResponseWriter{TCP: true, RemoteIP: addr}}
}

// question asks for a zone; with a serial, for the difference from there.
func question(name string, serial uint32) *dns.Msg {
	if serial == 0 {
		return new(dns.Msg).SetAxfr(name)
	}
	return new(dns.Msg).SetIxfr(name, serial, "ns.dns."+name, "hostmaster."+name)
}

// pull is a transfer in short: a number for an SOA record, else the owner.
func (p *primary) pull(t *testing.T, s *secondary, name string, serial uint32) string {
	t.Helper()
	s.got = nil
	if _, err := p.chain.ServeDNS(context.Background(), s, question(name, serial)); err != nil {
		t.Fatal(err)
	}
	return s.brief()
}

func (s *secondary) brief() string {
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
	// whole is what the zone of testStore begins with, before its Services.
	whole = " cluster away gone out web "
)

// A secondary gets the difference from a serial that it was sent, and the whole
// zone from any other.
func TestIncrementalTransfer(t *testing.T) {
	p, a, b := newPrimary(t), newSecondary("10.0.0.2"), newSecondary("10.0.0.3")
	expect := func(s *secondary, serial uint32, want string) {
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
	expect(a, 200, "105"+whole+"x y 105")
	expect(a, 100, "105 100 105 x y 105")
	expect(a, 101, "105 101 105 y 105")
	expect(b, 101, "105"+whole+"x y 105")
	p.put(106, "z", home)
	expect(b, 105, "106 105 106 z 106")
}

// A change of nothing that is transferred is a difference without records.
func TestEmptyDifference(t *testing.T) {
	p, s := newPrimary(t), newSecondary("10.0.0.2")
	p.pull(t, s, clusterZone, 0)
	txn := p.d.store.Begin()
	txn.PutNamespace("empty")
	txn.Commit()
	p.d.store.Checkpoint(101)
	if got := p.pull(t, s, clusterZone, 100); got != "101 100 101 101" {
		t.Errorf("got %q", got)
	}
}

// What was not received to the end is not taken for known.
func TestBrokenTransfer(t *testing.T) {
	p, s := newPrimary(t), newSecondary("10.0.0.2")
	for i := range 2000 { // more than one message
		p.put(uint32(101+i), fmt.Sprintf("a-rather-long-name-%04d", i), home)
	}
	serial := p.d.store.LoadCheckpoint().Serial()
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

// D18: nothing but our forward zones is transferred, and nothing before the first
// sync.
func TestD18WhatIsTransferred(t *testing.T) {
	for _, tc := range []struct {
		zone string
		want int
	}{
		{clusterZone, dns.RcodeSuccess},
		{"ClusTer.LOCAL.", dns.RcodeSuccess},
		{"shop.svc.cluster.local.", dns.RcodeRefused},
		{"in-addr.arpa.", dns.RcodeRefused},
		{"10.in-addr.arpa.", dns.RcodeRefused},
		{"example.com.", nextRcode},
	} {
		p, s := newPrimary(t), newSecondary("10.0.0.2")
		code, err := p.chain.ServeDNS(context.Background(), s, question(tc.zone, 0))
		if err != nil || code != tc.want || (len(s.got) > 0) != (code == dns.RcodeSuccess) {
			t.Errorf("%s: %s, error %v, %d messages", tc.zone, dns.RcodeToString[code], err, len(s.got))
		}
	}
	p, s := newPrimary(t), newSecondary("10.0.0.2")
	p.d.store = zone.NewStore()
	code, err := p.chain.ServeDNS(context.Background(), s, question(clusterZone, 0))
	if code != dns.RcodeServerFailure || !errors.Is(err, errNotSynced) || len(s.got) > 0 {
		t.Errorf("not synced: %s, error %v, %d messages", dns.RcodeToString[code], err, len(s.got))
	}
}

// D18: a transfer has the zone's TTL throughout, the name servers' addresses included,
// and each record once.
func TestD18NameServersInTransfer(t *testing.T) {
	p, s := newPrimary(t), newSecondary("10.0.0.2")
	p.d.view.Local = []netip.Addr{netip.MustParseAddr(home)}
	p.pull(t, s, clusterZone, 0)
	seen := map[string]bool{}
	for _, rr := range s.got[0].Answer[1:] {
		if text := rr.String(); seen[text] || rr.Header().Ttl != p.d.view.TTL {
			t.Errorf("TTL %d, or twice: %s", rr.Header().Ttl, text)
		}
		seen[rr.String()] = true
	}
	if !seen["ns.dns.cluster.local.\t5\tIN\tA\t"+home] {
		t.Errorf("no address of the name server: %v", s.got[0].Answer)
	}
}

// A question that cannot be one for a transfer passes unchanged.
func TestWitnessPassesOn(t *testing.T) {
	p := newPrimary(t)
	odd := question(clusterZone, 7)
	odd.Ns = slices.Repeat(odd.Ns, 2)
	for _, r := range []*dns.Msg{new(dns.Msg).SetQuestion(clusterZone, dns.TypeSOA), odd, question("example.com.", 7)} {
		text := r.String()
		var seen *dns.Msg
		h := &witness{d: p.d, next: plugin.HandlerFunc(func(_ context.Context, _ dns.ResponseWriter, r *dns.Msg) (int, error) {
			seen = r
			return nextRcode, nil
		})}
		code, err := h.ServeDNS(context.Background(), newSecondary("10.0.0.2"), r)
		if seen != r || r.String() != text || code != nextRcode || err != nil {
			t.Errorf("%s\nbecame\n%s\n%d %v", text, seen, code, err)
		}
	}
}

// P1: after a reload a zone may have other records, so what was sent before has another
// serial than what is sent now.
func TestP1ReloadHasASerialOfItsOwn(t *testing.T) {
	useRegistry(t)
	source := manifest(t)
	withTTL := func(ttl string) caddy.Input {
		text := "cluster.local:0 {\n bind 127.0.0.1\n transfer {\n  to *\n }\n kubernetes {\n  ttl " + ttl + "\n  manifests " + source.Manifests + "\n }\n}\n"
		return caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(text), ServerTypeName: "dns"}
	}
	i := startInstance(t, withTTL("5"))
	last := uint32(0)
	for _, ttl := range []string{"5", "6", "7"} {
		next, err := i.Restart(withTTL(ttl))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stopInstance(next) })
		i = next
		var soa *dns.SOA
		await.Success(t, 10*time.Millisecond, 10*time.Second, func(context.Context) error { // the socket may still hand connections to the instance before
			if soa = transferSOA(t, i.Servers()[0].Addr().String()); fmt.Sprint(soa.Hdr.Ttl) != ttl {
				return fmt.Errorf("the TTL is %d, want %s", soa.Hdr.Ttl, ttl)
			}
			return nil
		})
		if soa.Serial <= last {
			t.Errorf("serial %d with the TTL %d after %d", soa.Serial, soa.Hdr.Ttl, last)
		}
		last = soa.Serial
	}
}

// transferSOA is what a transfer begins with.
func transferSOA(t *testing.T, addr string) *dns.SOA {
	t.Helper()
	envelopes, err := new(dns.Transfer).In(question(clusterZone, 0), addr)
	if err != nil {
		t.Fatal(err)
	}
	var first *dns.SOA
	for e := range envelopes {
		if e.Error != nil {
			t.Fatal(e.Error)
		}
		if soa, ok := e.RR[0].(*dns.SOA); ok && first == nil {
			first = soa
		}
	}
	return first
}
