package xfr

import (
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/answer/answertest"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// transferOf returns a transfer as text, without the TTL and class that all records have.
func transferOf(t clustertest.T, v *resolve.View, s *cluster.Snapshot, origin int) string {
	t.Helper()
	var lines []string
	for rr := range recordsOf(ClusterZones{v}, s, v.Origins[origin]) {
		if rr.Header().Ttl != answertest.TTL || rr.Header().Class != dns.ClassINET {
			t.Errorf("%s", rr)
		}
		lines = append(lines, strings.ReplaceAll(answertest.Tidy(rr.String()), " 5 IN ", " "))
	}
	return strings.Join(lines, "\n")
}

const dnsService = `
	namespace kube-system
	clusterip kube-system/kube-dns 10.96.0.10,fd00::a
	slice kube-system/kube-dns a 10.244.0.53`

const (
	nsRecord = `
		cluster.local. NS kube-dns.kube-system.svc.cluster.local.`
	nsAddresses = `
		kube-dns.kube-system.svc.cluster.local. A 10.96.0.10
		kube-dns.kube-system.svc.cluster.local. AAAA fd00::a`
	nameserverRecords = nsRecord + nsAddresses
)

// only limits a view to some Namespaces.
func only(namespaces ...string) func(*resolve.View) {
	return func(v *resolve.View) {
		v.Namespaces = map[string]struct{}{}
		for _, n := range namespaces {
			v.Namespaces[n] = struct{}{}
		}
	}
}

// transfers are the transfers of some clusters by a server at 10.244.0.53. They equal those
// of stock CoreDNS, except the TTL of the name servers' addresses and repeated records.
var transfers = []struct {
	name, cluster string
	change        func(*resolve.View)
	want          string
}{
	{"no Service", "", nil, `
		cluster.local. NS ns.dns.cluster.local.
		ns.dns.cluster.local. A 10.244.0.53`},
	{"name server that is shown", dnsService, nil, nameserverRecords},
	{"name server in a Namespace that is hidden", dnsService, only("default"), nameserverRecords},
	{"headless name server", `
		namespace kube-system
		headless kube-system/dns
		slice kube-system/dns a 10.244.0.53=dns-0`, nil, `
		cluster.local. NS dns-0.dns.kube-system.svc.cluster.local.
		dns.kube-system.svc.cluster.local. A 10.244.0.53
		dns-0.dns.kube-system.svc.cluster.local. A 10.244.0.53`},
	{"ClusterIP", dnsService + `
		namespace default
		clusterip default/web 10.3.0.1,2001:db8::1 http/tcp/80 dns/tcp/53 dns/udp/53 /tcp/81
		slice default/web a http/tcp/80 10.0.0.1=not-transferred`, only("default"), nameserverRecords + `
		web.default.svc.cluster.local. A 10.3.0.1
		web.default.svc.cluster.local. AAAA 2001:db8::1
		web.default.svc.cluster.local. SRV 0 12 80 web.default.svc.cluster.local.
		_http._tcp.web.default.svc.cluster.local. SRV 0 50 80 web.default.svc.cluster.local.
		web.default.svc.cluster.local. SRV 0 12 53 web.default.svc.cluster.local.
		_dns._tcp.web.default.svc.cluster.local. SRV 0 50 53 web.default.svc.cluster.local.
		_dns._udp.web.default.svc.cluster.local. SRV 0 50 53 web.default.svc.cluster.local.
		web.default.svc.cluster.local. SRV 0 12 81 web.default.svc.cluster.local.`},
	{"headless", dnsService + `
		namespace default
		headless default/db
		slice default/db a sql/tcp/5432 10.0.0.1=db-0 10.0.0.2 10.0.0.3
		slice default/db b sql/tcp/5432 10.0.0.1=db-0 2001:db8::1=db-0
		slice default/db c 10.0.0.4@pod
		slice default/db d /tcp/1`, only("default"), nameserverRecords + `
		db.default.svc.cluster.local. A 10.0.0.1
		db-0.db.default.svc.cluster.local. A 10.0.0.1
		_sql._tcp.db.default.svc.cluster.local. SRV 0 20 5432 db-0.db.default.svc.cluster.local.
		db.default.svc.cluster.local. A 10.0.0.2
		10-0-0-2.db.default.svc.cluster.local. A 10.0.0.2
		_sql._tcp.db.default.svc.cluster.local. SRV 0 20 5432 10-0-0-2.db.default.svc.cluster.local.
		db.default.svc.cluster.local. A 10.0.0.3
		10-0-0-3.db.default.svc.cluster.local. A 10.0.0.3
		_sql._tcp.db.default.svc.cluster.local. SRV 0 20 5432 10-0-0-3.db.default.svc.cluster.local.
		db.default.svc.cluster.local. AAAA 2001:db8::1
		db-0.db.default.svc.cluster.local. AAAA 2001:db8::1
		db.default.svc.cluster.local. A 10.0.0.4
		10-0-0-4.db.default.svc.cluster.local. A 10.0.0.4`},
	{"endpoints by the names of their Pods", `
		namespace default
		headless default/db
		slice default/db c 10.0.0.4@pod`, func(v *resolve.View) { v.PodNames, v.Local = true, nil }, `
		cluster.local. NS ns.dns.cluster.local.
		db.default.svc.cluster.local. A 10.0.0.4
		pod.db.default.svc.cluster.local. A 10.0.0.4`},
	{"a port's name that is too long with an underscore", `
		namespace default
		headless default/db
		slice default/db c ` + strings.Repeat("x", 63) + `/tcp/80 ` + strings.Repeat("y", 62) + `/tcp/81 10.0.0.4`, func(v *resolve.View) { v.Local = nil }, `
		cluster.local. NS ns.dns.cluster.local.
		db.default.svc.cluster.local. A 10.0.0.4
		10-0-0-4.db.default.svc.cluster.local. A 10.0.0.4
		_` + strings.Repeat("y", 62) + `._tcp.db.default.svc.cluster.local. SRV 0 100 81 10-0-0-4.db.default.svc.cluster.local.`},
	{"ExternalName", dnsService + `
		namespace default
		external default/www www.example.com.
		external default/none -`, only("default"), nameserverRecords + `
		www.default.svc.cluster.local. CNAME www.example.com.`},
	{"order and Namespaces that do not exist", `
		namespace a
		namespace b
		clusterip b/a 10.3.0.1
		clusterip a/b 10.3.0.2
		clusterip a/a 10.3.0.3
		clusterip absent/a 10.3.0.4
		slice a/c x 10.0.0.1`, nil, `
		cluster.local. NS ns.dns.cluster.local.
		ns.dns.cluster.local. A 10.244.0.53
		a.a.svc.cluster.local. A 10.3.0.3
		b.a.svc.cluster.local. A 10.3.0.2
		a.b.svc.cluster.local. A 10.3.0.1`},
	{"empty Services that are ignored", dnsService + `
		namespace default
		clusterip default/idle 10.3.0.1
		slice default/idle a
		clusterip default/busy 10.3.0.2
		slice default/busy a 10.0.0.1`, func(v *resolve.View) { v.IgnoreEmpty = true }, nsRecord + `
		busy.default.svc.cluster.local. A 10.3.0.2` + nsAddresses},
}

func TestWalk(t *testing.T) {
	for _, tc := range transfers {
		t.Run(tc.name, func(t *testing.T) {
			v := answertest.ClusterView(t)
			v.Local = []netip.Addr{netip.MustParseAddr("10.244.0.53")}
			if tc.change != nil {
				tc.change(v)
			}
			if got, want := transferOf(t, v, clustertest.Snapshot(t, tc.cluster), 0), answertest.Tidy(tc.want); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// D9: a transfer has nothing of a Namespace that is not shown, or unknown because no
// selector selects it.
func TestD9HiddenNamespaces(t *testing.T) {
	v := answertest.ClusterView(t)
	only("default", "unknown")(v)
	got := transferOf(t, v, clustertest.Snapshot(t, `
		namespace default
		namespace hidden
		clusterip default/web 10.3.0.9
		clusterip hidden/web 10.3.0.1
		clusterip unknown/web 10.3.0.2
		headless hidden/db sql/tcp/1
		slice hidden/db a sql/tcp/1 10.0.0.1=db-0
		headless unknown/db sql/tcp/1
		slice unknown/db a sql/tcp/1 10.0.0.2=db-0
		external hidden/alias www.example.com.
		external unknown/alias www.example.com.
	`), 0)
	want := answertest.Tidy(`
		cluster.local. NS ns.dns.cluster.local.
		web.default.svc.cluster.local. A 10.3.0.9`)
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// A zone of the cluster set has the imports, and endpoints below their clusters.
func TestWalkClusterSet(t *testing.T) {
	v := answertest.ClusterSetView(t)
	origin := slices.IndexFunc(v.Origins, func(o resolve.Origin) bool { return o.ClusterSet })
	long := strings.Repeat("x", 63)
	s := clustertest.Snapshot(t, `
		namespace default
		clusterip default/hello 10.3.0.1
		imported-clusterip default/hello 10.4.0.1 http/tcp/80
		imported-headless default/db
		imported-slice East default/db a sql/tcp/5432 10.5.0.1=db-0
		imported-slice - default/db b sql/tcp/5432 10.5.0.2=db-1
		namespace `+long+`
		imported-headless `+long+`/`+long+`
		imported-slice `+long+` `+long+`/`+long+` a sql/tcp/5432 10.5.0.3=`+long+`
	`)
	const want = `
		clusterset.local. NS ns.dns.clusterset.local.
		db.default.svc.clusterset.local. A 10.5.0.1
		db-0.east.db.default.svc.clusterset.local. A 10.5.0.1
		_sql._tcp.db.default.svc.clusterset.local. SRV 0 100 5432 db-0.east.db.default.svc.clusterset.local.
		db.default.svc.clusterset.local. A 10.5.0.2
		db-1.db.default.svc.clusterset.local. A 10.5.0.2
		_sql._tcp.db.default.svc.clusterset.local. SRV 0 100 5432 db-1.db.default.svc.clusterset.local.
		hello.default.svc.clusterset.local. A 10.4.0.1
		hello.default.svc.clusterset.local. SRV 0 100 80 hello.default.svc.clusterset.local.
		_http._tcp.hello.default.svc.clusterset.local. SRV 0 100 80 hello.default.svc.clusterset.local.
	`
	// The last Service's endpoint has a name that is too long for a message.
	all := want + long + "." + long + ".svc.clusterset.local. A 10.5.0.3"
	if got := transferOf(t, v, s, origin); got != answertest.Tidy(all) {
		t.Errorf("got:\n%s\nwant:\n%s", got, answertest.Tidy(all))
	}
}

func TestWalkStops(t *testing.T) {
	s, v := clustertest.Snapshot(t, "namespace a\nclusterip a/a 10.3.0.1 a/tcp/1\nclusterip a/b 10.3.0.2"), answertest.ClusterView(t)
	all := len(slices.Collect(recordsOf(ClusterZones{v}, s, v.Origins[0])))
	for most := 1; most <= all; most++ {
		n := 0
		for range recordsOf(ClusterZones{v}, s, v.Origins[0]) {
			if n++; n == most {
				break
			}
		}
		if n != most {
			t.Errorf("%d records after %d", n, most)
		}
	}
}

// A secondary answers as we do: every RRset in a transfer is complete, no record is
// repeated, and records that lead to the same Service have equal shares.
func TestP4WalkAgreesWithLookup(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, s := clustertest.DrawCluster(t)
		v := answertest.DrawView(t)
		for _, o := range v.Origins {
			if !o.Reverse() {
				checkWalk(t, v, s, o)
				checkLeftOut(t, v, s, o)
			}
		}
	})
}

type rrsetKey struct {
	owner  string
	rrtype uint16
}

func checkWalk(t *rapid.T, v *resolve.View, s *cluster.Snapshot, o resolve.Origin) {
	rrsets, servers := map[rrsetKey][]string{}, map[string]bool{}
	for rr := range recordsOf(ClusterZones{v}, s, o) {
		key := rrsetKey{rr.Header().Name, rr.Header().Rrtype}
		rrsets[key] = append(rrsets[key], unweighted(rr))
		if ns, ok := rr.(*dns.NS); ok {
			servers[ns.Ns] = true
		}
		if _, err := dns.PackRR(rr, make([]byte, 1024), 0, nil, false); err != nil {
			t.Fatalf("%s: %v", rr, err)
		}
	}
	checkWeights(t, v, s, o)
	for key, got := range rrsets {
		a := lookup(t, v, s, key.owner, key.rrtype)
		if a.Result == resolve.NXDomain && servers[key.owner] {
			continue // a name server in a hidden Namespace
		}
		want := map[string]bool{}
		for _, rr := range a.Records {
			if rr.Header().Name == key.owner { // not the records behind an alias
				want[unweighted(rr)] = true
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
			t.Fatalf("%v: transferred %q, answered %q", key, got, slices.Sorted(maps.Keys(want)))
		}
	}
}

// checkWeights checks that each RRset has a single weight, as in look-ups, and the weight
// of look-ups if a Service has addresses of both families (P4).
func checkWeights(t *rapid.T, v *resolve.View, s *cluster.Snapshot, o resolve.Origin) {
	weights := map[string]uint16{}
	for rr := range recordsOf(ClusterZones{v}, s, o) {
		srv, ok := rr.(*dns.SRV)
		if !ok {
			continue
		}
		if first, later := weights[srv.Hdr.Name]; later && first != srv.Weight {
			t.Fatalf("%s, and others have the weight %d", srv, first)
		}
		weights[srv.Hdr.Name] = srv.Weight
		if !strings.HasSuffix(srv.Hdr.Name, srv.Target) ||
			len(lookup(t, v, s, srv.Target, dns.TypeA).Records) == 0 || len(lookup(t, v, s, srv.Target, dns.TypeAAAA).Records) == 0 {
			continue
		}
		if want := lookup(t, v, s, srv.Hdr.Name, dns.TypeSRV).Records[0].(*dns.SRV).Weight; want != srv.Weight {
			t.Fatalf("%s, but a look-up has the weight %d", srv, want)
		}
	}
}

// checkLeftOut checks that a transfer has all that look-ups have at its names, but for the RRsets
// that doc/transfer.md lists (P5): SRV at the names of headless Services and of their endpoints, and
// addresses at the names of ports.
func checkLeftOut(t *rapid.T, v *resolve.View, s *cluster.Snapshot, o resolve.Origin) {
	types := map[string]map[uint16]bool{}
	for rr := range recordsOf(ClusterZones{v}, s, o) {
		if types[rr.Header().Name] == nil {
			types[rr.Header().Name] = map[uint16]bool{}
		}
		types[rr.Header().Name][rr.Header().Rrtype] = true
	}
	for owner, have := range types {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypeTXT, dns.TypeNS, dns.TypeCNAME} {
			a := lookup(t, v, s, owner, qtype)
			if have[qtype] || have[dns.TypeCNAME] || !slices.ContainsFunc(a.Records, func(rr dns.RR) bool { return rr.Header().Name == owner }) {
				continue
			}
			port := strings.HasPrefix(owner, "_")
			if addresses := qtype == dns.TypeA || qtype == dns.TypeAAAA; addresses != port || !addresses && qtype != dns.TypeSRV {
				t.Fatalf("%s: not transferred, answered %q", owner, a.Records)
			}
		}
	}
}

// P5: the names that a secondary denies are those that doc/transfer.md lists.
func TestP5NamesLeftOut(t *testing.T) {
	v := answertest.ClusterView(t)
	v.Pods, v.Zonal = resolve.PodsInsecure, true
	s := clustertest.Snapshot(t, `
		namespace a
		clusterip a/web 10.3.0.1 http/tcp/80
		slice a/web x http/tcp/80 10.0.0.1=web-0
		headless a/db sql/tcp/5432
		slice a/db x sql/tcp/5432 10.0.0.2=db-0`)
	transferred := transferOf(t, v, s, 0)
	for name, left := range map[string]bool{
		"cluster.local.":                 true,
		"web.a.svc.cluster.local.":       true,
		"db-0.db.a.svc.cluster.local.":   true,
		"a.svc.cluster.local.":           true,
		"svc.cluster.local.":             true,
		"dns-version.cluster.local.":     false,
		"pod.cluster.local.":             false,
		"a.pod.cluster.local.":           false,
		"10-0-0-9.a.pod.cluster.local.":  false,
		"web-0.web.a.svc.cluster.local.": false,
	} {
		if a := lookup(t, v, s, name, dns.TypeANY); a.Result == resolve.NXDomain {
			t.Errorf("%s does not exist", name)
		}
		// A name exists for a secondary if it or a name below it is transferred.
		if has := strings.Contains(" "+transferred, " "+name) || strings.Contains(transferred, name+" "); has != left {
			t.Errorf("%s: transferred %v, want %v\n%s", name, has, left, transferred)
		}
	}
}

// lookup answers without limits.
func lookup(t clustertest.T, v *resolve.View, s *cluster.Snapshot, name string, qtype uint16) answer.Answer {
	t.Helper()
	n, err := dnsname.Parse(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return answer.Lookup(v, s, &n, qtype, answer.Limits{Size: math.MaxInt32})
}

// unweighted returns a record as text, without its weight.
func unweighted(rr dns.RR) string {
	if srv, ok := rr.(*dns.SRV); ok {
		return fmt.Sprint(srv.Hdr.Name, " SRV ", srv.Port, " ", srv.Target)
	}
	return rr.String()
}
