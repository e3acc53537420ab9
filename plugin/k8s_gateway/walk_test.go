package gateway

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/answer/answertest"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/xfr"
)

// walked returns the records of a walk, as a set.
func walked(t errorer, v *view, s *cluster.Snapshot, o resolve.Origin, part xfr.Part) map[string]dns.RR {
	t.Helper()
	all := map[string]dns.RR{}
	v.Walk(s, o, part, func(rr dns.RR) bool {
		if _, twice := all[rr.String()]; twice {
			t.Errorf("twice: %s", rr)
		}
		all[rr.String()] = rr
		return true
	})
	return all
}

type errorer interface {
	Helper()
	Errorf(format string, args ...any)
}

// A transfer has the apex, the servers and what is above and below them, wildcards as they stand, aliases and
// texts; but no name of another zone.
func TestWalk(t *testing.T) {
	s := snapshotOf(t, "dns1.kube-system 192.0.2.53", "dns2.kube-system 192.0.2.54", "game.town 192.0.2.1", "example.org. 192.0.2.2",
		"*.w.example.org. 192.0.2.3", "a.example.org. www.example.com.", "b.example.net. 192.0.2.4", "x.sub.example.org. 192.0.2.5",
		"x.dns1.kube-system.example.org. 192.0.2.6", "kube-system.example.org. 192.0.2.7", "dns1.kube-system.sub 192.0.2.8", "in.sub.sub 192.0.2.10", "*.example.org. 192.0.2.12")
	v := viewOf(t, "secondary dns2.kube-system")
	sub, err := resolve.ParseOrigin("sub.example.org.")
	if err != nil {
		t.Fatal(err)
	}
	v.zones.Origins = append(v.zones.Origins, sub)
	v.setServers(v.server, v.second, "dns2.kube-system")
	want := answertest.Tidy(`
		example.org. 60 IN NS dns1.kube-system.example.org.
		example.org. 60 IN NS dns2.kube-system.example.org.
		example.org. 60 IN A 192.0.2.2
		dns1.kube-system.example.org. 60 IN A 192.0.2.53
		*.w.example.org. 60 IN A 192.0.2.3
		*.example.org. 60 IN A 192.0.2.12
		a.example.org. 60 IN CNAME www.example.com.
		x.dns1.kube-system.example.org. 60 IN A 192.0.2.6
		dns2.kube-system.example.org. 60 IN A 192.0.2.54
		game.town.example.org. 60 IN A 192.0.2.1
		kube-system.example.org. 60 IN A 192.0.2.7`)
	if got := answertest.Tidy(linesOf(v, s, v.zones.Origins[0])); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	want = answertest.Tidy(`
		sub.example.org. 60 IN NS dns1.kube-system.sub.example.org.
		sub.example.org. 60 IN NS dns2.kube-system.sub.example.org.
		dns1.kube-system.sub.example.org. 60 IN A 192.0.2.8
		x.sub.example.org. 60 IN A 192.0.2.5
		in.sub.sub.example.org. 60 IN A 192.0.2.10`)
	if got := answertest.Tidy(linesOf(v, s, sub)); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

func linesOf(v *view, s *cluster.Snapshot, o resolve.Origin) string {
	var lines []string
	v.Walk(s, o, xfr.Part{}, func(rr dns.RR) bool {
		lines = append(lines, rr.String())
		return true
	})
	return strings.Join(lines, "\n")
}

// labels make names that collide often: with each other, the server and the zones.
var labels = []string{"a", "b", "*", "dns1", "kube-system", "example", "org", "sub"}

func drawKey(t *rapid.T) string {
	name := strings.Join(rapid.SliceOfN(rapid.SampledFrom(labels), 1, 4).Draw(t, "labels"), ".")
	n, err := dnsname.Parse(name + rapid.SampledFrom([]string{"", ".example.org", ".sub.example.org", ".example.net"}).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	return n.Wire()
}

func drawPublished(t *rapid.T) *cluster.Published {
	if rapid.Bool().Draw(t, "gone") {
		return nil
	}
	p := new(cluster.Published)
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 4:
		p.Records = []cluster.Record{{Type: dns.TypeNS, Data: "\x03ns" + fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "server")) + "\x03org\x00"}}
	case 0:
		p.Alias = rapid.SampledFrom([]string{"a.example.org.", "www.example.com."}).Draw(t, "alias")
	case 1:
		p.Records = []cluster.Record{
			{Type: dns.TypeMX, Data: "\x00\x0a\x01" + fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "exchange")) + "\x00"},
			{Type: dns.TypeTXT, Data: "\x01" + fmt.Sprint(rapid.IntRange(0, 3).Draw(t, "text"))},
			{Type: dns.TypeTXT, Data: "\x07a\\b \"c\""},
			{Type: dns.TypeSRV, Data: "\x00\x00\x00\x01\x00\x50\x01a\x07example\x03org\x00"},
		}
	default:
		p.Addrs = []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, byte(rapid.IntRange(0, 3).Draw(t, "v4"))}), netip.MustParseAddr("2001:db8::1")}
	}
	return p
}

// Whatever is published, each record of a transfer is one that a look-up answers with, each
// published name of the zone that has an answer is in it, and two walks over the changes differ in
// the same records as two walks over all.
func TestWalkAgreesWithLookup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg, err := parseText("k8s_gateway example.org sub.example.org")
		if err != nil {
			t.Fatal(err)
		}
		v, store := &cfg.view, cluster.NewStore()
		txn := store.Begin()
		txn.SetSynced()
		txn.SetNamesSynced()
		txn.Commit()
		keys := map[string]bool{}
		var before *cluster.Snapshot
		for range 2 {
			before = store.Load()
			txn := store.Begin()
			for range rapid.IntRange(0, 12).Draw(t, "changes") {
				key := drawKey(t)
				keys[key] = true
				txn.Publish(key, drawPublished(t))
			}
			txn.Commit()
		}
		after := store.Load()
		for _, o := range v.zones.Origins {
			all := walked(t, v, after, o, xfr.Part{})
			for _, rr := range all {
				checkLookup(t, v, after, rr)
			}
			for key := range keys {
				checkTransferred(t, v, after, o, key, all)
			}
			part := xfr.Part{Before: before, After: after}
			was, is := rest(walked(t, v, before, o, xfr.Part{}), walked(t, v, before, o, part)), rest(all, walked(t, v, after, o, part))
			if !slices.Equal(was, is) {
				t.Fatalf("%q, then %q beside the changes", was, is)
			}
		}
	})
}

func lookup(v *view, s *cluster.Snapshot, n *dnsname.Name, qtype uint16) []dns.RR {
	return answer.LookupBy(v.locate, &v.zones, s, n, qtype, answer.Limits{Size: dns.MaxMsgSize}).Records
}

func checkLookup(t *rapid.T, v *view, s *cluster.Snapshot, rr dns.RR) {
	n, err := dnsname.Parse(rr.Header().Name)
	if err != nil {
		t.Fatal(err)
	}
	records := lookup(v, s, &n, rr.Header().Rrtype)
	if cut, _ := findCut(s, &n, v.zones.Origin(&n)); cut != nil && v.locate(s, &n, v.zones.Origin(&n)).Kind == resolve.AtDelegation {
		return // a look-up has only what a referral needs
	}
	if !slices.ContainsFunc(records, func(other dns.RR) bool { return other.String() == rr.String() }) {
		t.Fatalf("%s is not what a look-up answers with:\n%v", rr, records)
	}
}

// checkTransferred looks a published name up, and finds what it has among the transfer's records.
func checkTransferred(t *rapid.T, v *view, s *cluster.Snapshot, o resolve.Origin, key string, all map[string]dns.RR) {
	n, err := dnsname.ParseWire([]byte(key))
	if err != nil {
		t.Fatal(err)
	}
	if own := v.zones.Origin(&n); own == nil || own.Wire() != o.Wire() || at(s, &n, 0).Kind != resolve.AtPublished {
		return
	}
	if m := v.locate(s, &n, &o); m.Kind == resolve.AtDelegation && !m.BelowCut {
		referral := dns.Msg{}
		v.refer(&referral, s, &n, dns.MaxMsgSize)
		for _, rr := range referral.Ns {
			if all[rr.String()] == nil {
				t.Fatalf("not transferred: %s", rr)
			}
		}
	}
	for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeMX, dns.TypeTXT, dns.TypeSRV} {
		for _, rr := range lookup(v, s, &n, qtype) {
			if rr.Header().Name == n.String() && all[rr.String()] == nil {
				t.Fatalf("not transferred: %s", rr)
			}
		}
	}
}

// rest returns the records that only the first walk has, sorted.
func rest(all, some map[string]dns.RR) []string {
	maps.DeleteFunc(all, func(text string, _ dns.RR) bool { return some[text] != nil })
	return slices.Sorted(maps.Keys(all))
}

// A walk ends wherever its reader stops.
func TestWalkEnds(t *testing.T) {
	v, s := viewOf(t), snapshotOf(t, "dns1.kube-system 192.0.2.53", "a.example.org. 192.0.2.1", "b.example.org. a.example.org.", "example.org. 192.0.2.2")
	for n := range 5 {
		count := 0
		v.Walk(s, v.zones.Origins[0], xfr.Part{}, func(dns.RR) bool {
			count++
			return count <= n
		})
		if count != n+1 {
			t.Errorf("%d records after the end at %d", count, n)
		}
	}
}
