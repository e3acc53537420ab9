package external

import (
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/answer/answertest"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/xfr"
)

// recordsOf iterates over all records but the SOA record.
func recordsOf(v *view, s *cluster.Snapshot, o resolve.Origin) iter.Seq[dns.RR] {
	return func(yield func(dns.RR) bool) { v.Walk(s, o, xfr.Part{}, yield) }
}

func zoneOf(v *view, s *cluster.Snapshot, origin string) string {
	o, err := resolve.ParseOrigin(origin)
	if err != nil {
		return err.Error()
	}
	lines := []string{v.SOA(s, o, o.String()).String()}
	for rr := range recordsOf(v, s, o) {
		lines = append(lines, rr.String())
	}
	return answertest.Tidy(strings.Join(lines, "\n"))
}

// A transfer has the records that look-ups answer with, with the TTL of the zone.
func TestWalk(t *testing.T) {
	v := viewOf(t, "example.org.")
	v.cluster.Local = clustertest.Addrs(t, "198.51.100.1")
	v.headless = true
	want := answertest.Tidy(`
		example.org. 5 IN SOA ns1.dns.example.org. hostmaster.dns.example.org. 7 7200 1800 86400 5
		example.org. 5 IN NS ns1.dns.example.org.
		ns1.dns.example.org. 5 IN A 198.51.100.1
		db.default.example.org. 5 IN A 10.0.0.3
		db.default.example.org. 5 IN AAAA 2001:db8::4
		db.default.example.org. 5 IN SRV 0 50 8080 db-0.db.default.example.org.
		db.default.example.org. 5 IN SRV 0 50 8080 2001-db8--4.db.default.example.org.
		_http._tcp.db.default.example.org. 5 IN SRV 0 50 8080 db-0.db.default.example.org.
		_http._tcp.db.default.example.org. 5 IN SRV 0 50 8080 2001-db8--4.db.default.example.org.
		db-0.db.default.example.org. 5 IN A 10.0.0.3
		db-0.db.default.example.org. 5 IN SRV 0 100 8080 db-0.db.default.example.org.
		2001-db8--4.db.default.example.org. 5 IN AAAA 2001:db8::4
		2001-db8--4.db.default.example.org. 5 IN SRV 0 100 8080 2001-db8--4.db.default.example.org.
		lb.default.example.org. 5 IN CNAME lb.example.net.
		_http._tcp.lb.default.example.org. 5 IN SRV 0 100 80 lb.example.net.
		pets.default.example.org. 5 IN A 192.0.2.5
		pets.default.example.org. 5 IN SRV 0 100 80 pets.default.example.org.
		_http._tcp.pets.default.example.org. 5 IN SRV 0 100 80 pets.default.example.org.
		web.default.example.org. 5 IN A 192.0.2.1
		web.default.example.org. 5 IN AAAA 2001:db8::1
		web.default.example.org. 5 IN SRV 0 25 443 web.default.example.org.
		web.default.example.org. 5 IN SRV 0 25 81 web.default.example.org.
		_https._tcp.web.default.example.org. 5 IN SRV 0 50 443 web.default.example.org.`)
	got := zoneOf(v, clustertest.Snapshot(t, `
		namespace default
		outside default/web 192.0.2.1,2001:db8::1 - https/tcp/443 /tcp/81
		outside-headless default/pets 192.0.2.5 - http/tcp/80
		outside default/lb - lb.example.net. http/tcp/80
		clusterip default/inner 10.3.0.1 http/tcp/80
		headless default/db http/tcp/80
		headless default/none http/tcp/80
		slice default/pets a http/tcp/80 10.0.0.5=pet-0
		slice default/inner a http/tcp/8080 10.0.0.1=one
		slice default/db a http/tcp/8080 10.0.0.3=db-0 2001:db8::4
	`), "example.org.")
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// The records that a transfer has of a name are those of a look-up.
func TestWalkAgreesWithLookup(t *testing.T) {
	v, s := viewOf(t, "example.org."), clustertest.Snapshot(t, outsideServices)
	v.headless, v.cluster.Local = true, clustertest.Addrs(t, "198.51.100.1")
	seen := map[string]bool{}
	for rr := range recordsOf(v, s, v.zones.Origins[0]) {
		if seen[rr.String()] {
			t.Errorf("twice: %s", rr)
		}
		seen[rr.String()] = true
		question := rr.Header().Name + " " + dns.Type(rr.Header().Rrtype).String()
		same := func(other dns.RR) bool { return other.String() == rr.String() }
		if a := lookup(t, v, s, question); !slices.ContainsFunc(a.Records, same) {
			t.Errorf("%s is not what a look-up answers with:\n%s", rr, render(a))
		}
	}
	if len(seen) < 30 {
		t.Errorf("only %d records", len(seen))
	}
}

// A walk ends wherever its reader stops.
func TestWalkEnds(t *testing.T) {
	v, s := viewOf(t, "example.org."), clustertest.Snapshot(t, outsideServices)
	v.headless = true
	for n := range 20 {
		count := 0
		for range recordsOf(v, s, v.zones.Origins[0]) {
			if count++; count > n {
				break
			}
		}
	}
}

// A name that is too long for a message does not spoil a transfer.
func TestWalkLeavesOutLongNames(t *testing.T) {
	long := strings.Repeat("x", 60)
	v := viewOf(t, long+"."+long+".example.org.")
	v.headless = true
	s := clustertest.Snapshot(t, "namespace default\nheadless default/"+long+"\nslice default/"+long+" a /tcp/80 10.0.0.1="+long)
	for rr := range recordsOf(v, s, v.zones.Origins[0]) {
		if _, err := dns.PackRR(rr, make([]byte, 600), 0, nil, false); err != nil {
			t.Errorf("%s: %v", rr, err)
		}
	}
}

// Below the label of the name server there is no other name, even for a Namespace with the
// same name, and a transfer has none either.
func TestWalkBelowApex(t *testing.T) {
	s := clustertest.Snapshot(t, "namespace edge\nnamespace dns\noutside dns/web 192.0.2.1 - http/tcp/80\noutside edge/dns 192.0.2.2 - http/tcp/80\noutside edge/web 192.0.2.3 - http/tcp/80")
	for apex, want := range map[string]int{"dns.": 2, "dns.edge.": 2, "edge.": 1, "a.dns.edge.": 2} {
		v := viewOf(t, "example.org.")
		v.apex, _ = dnsname.Parse(apex)
		var owners []string
		for rr := range recordsOf(v, s, v.zones.Origins[0]) {
			if rr.Header().Rrtype == dns.TypeA {
				owners = append(owners, rr.Header().Name)
				if a := lookup(t, v, s, rr.Header().Name+" A"); len(a.Records) != 1 {
					t.Errorf("%s: a look-up of %s answers with\n%s", apex, rr.Header().Name, render(a))
				}
			}
		}
		if len(owners) != want {
			t.Errorf("%s: addresses of %v, want %d", apex, owners, want)
		}
	}
}

// Two walks over the changed Services differ in the same records as two walks over all.
func TestWalkOfChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, store, v := clustertest.NewModel(), cluster.NewStore(), viewOf(t, "example.org.")
		v.headless = rapid.Bool().Draw(t, "headless")
		v.show(answertest.DrawView(t))
		clustertest.Commit(store, (*cluster.Txn).SetSynced)
		var kept []*cluster.Snapshot
		for range rapid.IntRange(2, 6).Draw(t, "snapshots") {
			clustertest.Commit(store, func(txn *cluster.Txn) {
				for range rapid.IntRange(0, 20).Draw(t, "changes") {
					m.Change(t, txn)
				}
			})
			kept = append(kept, store.Load())
		}
		before, after := clustertest.One(t, "before", kept), clustertest.One(t, "after", kept)
		changed := xfr.Part{Before: before, After: after}
		was, is := unchanged(v, before, changed), unchanged(v, after, changed)
		if !maps.Equal(was, is) {
			t.Fatalf("%v, then %v beside the changes", was, is)
		}
	})
}

// unchanged returns the records of a walk over all Services that a walk over the changed
// ones does not have.
func unchanged(v *view, s *cluster.Snapshot, changed xfr.Part) map[string]bool {
	rest := map[string]bool{}
	v.Walk(s, v.zones.Origins[0], xfr.Part{}, func(rr dns.RR) bool {
		rest[rr.String()] = true
		return true
	})
	v.Walk(s, v.zones.Origins[0], changed, func(rr dns.RR) bool {
		delete(rest, rr.String())
		return true
	})
	return rest
}
