package gateway

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/test/kit/cost"
)

// recordOf has what a name has that is published with a type.
var recordOf = map[string]cluster.Record{"TXT": {Type: dns.TypeTXT, Data: "\x04text"}, "NS": {Type: dns.TypeNS, Data: "\x02ns\x05other\x00"}}

// snapshotOf publishes names, each with an address, an alias, a type or nothing behind it. A name without a dot
// at its end is below example.org.
func snapshotOf(t *testing.T, lines ...string) *cluster.Snapshot {
	t.Helper()
	store := cluster.NewStore()
	txn := store.Begin()
	txn.SetSynced()
	txn.SetNamesSynced()
	for _, line := range lines {
		host, target, _ := strings.Cut(line, " ")
		if !strings.HasSuffix(host, ".") {
			host += ".example.org."
		}
		n, err := dnsname.Parse(host)
		if err != nil {
			t.Fatal(err)
		}
		p := &cluster.Published{Alias: target}
		if a, err := netip.ParseAddr(target); err == nil {
			p = &cluster.Published{Addrs: []netip.Addr{a}}
		} else if data, is := recordOf[target]; is {
			p = &cluster.Published{Records: []cluster.Record{data}}
		}
		txn.Publish(n.Wire(), p)
	}
	txn.Commit()
	return store.Load()
}

func viewOf(t *testing.T, lines ...string) *view {
	t.Helper()
	cfg, err := parseText(in(lines...))
	if err != nil {
		t.Fatal(err)
	}
	return &cfg.view
}

func ask(t *testing.T, v *view, s *cluster.Snapshot, question string) string {
	t.Helper()
	host, qtype, _ := strings.Cut(question, " ")
	n, err := dnsname.Parse(host)
	if err != nil {
		t.Fatal(err)
	}
	a := answer.LookupBy(v.locate, &v.zones, s, &n, dns.StringToType[qtype], answer.Limits{Size: dns.MaxMsgSize})
	words := []string{map[resolve.Result]string{
		resolve.OutOfZone: "OUT", resolve.Success: "NOERROR", resolve.NoData: "NODATA", resolve.NXDomain: "NXDOMAIN", resolve.NotReady: "SERVFAIL", resolve.FollowTarget: "FOLLOW", resolve.Referral: "REFER",
	}[a.Result]}
	for _, rr := range a.Records {
		words = append(words, strings.TrimPrefix(rr.String(), rr.Header().String()))
	}
	return strings.Join(words, " ")
}

// check asks questions, and fails the test unless each has the answer behind it.
func check(t *testing.T, v *view, s *cluster.Snapshot, answers map[string]string) {
	t.Helper()
	for question, want := range answers {
		if got := ask(t, v, s, question); got != want {
			t.Errorf("%s: %s, want %s", question, got, want)
		}
	}
}

// The zone of RFC 4592 2.2.1, as far as it has addresses.
func TestWildcardsOfRFC4592(t *testing.T) {
	s := snapshotOf(t, "*.example.org. 192.0.2.1", "sub.*.example.org. 192.0.2.2", "host1.example.org. 192.0.2.3",
		"_ssh._tcp.host1.example.org. 192.0.2.4", "_ssh._tcp.host2.example.org. 192.0.2.5")
	v := viewOf(t)
	check(t, v, s, map[string]string{
		"host3.example.org. A":              "NOERROR 192.0.2.1",
		"host3.example.org. AAAA":           "NODATA",
		"foo.bar.example.org. A":            "NOERROR 192.0.2.1",
		"host1.example.org. MX":             "NODATA",
		"sub.*.example.org. MX":             "NODATA",
		"sub.*.example.org. A":              "NOERROR 192.0.2.2",
		"_telnet._tcp.host1.example.org. A": "NXDOMAIN",
		"host2.example.org. A":              "NODATA",
		"ghost.*.example.org. A":            "NXDOMAIN",
		"*.example.org. A":                  "NOERROR 192.0.2.1",
		"example.org. A":                    "NODATA",
		"host3.example.net. A":              "OUT",
	})
}

func TestSpecificWildcardFirst(t *testing.T) {
	s := snapshotOf(t, "*.example.org. 192.0.2.1", "*.a.example.org. 192.0.2.2", "b.a.example.org. 192.0.2.3")
	v := viewOf(t)
	check(t, v, s, map[string]string{
		"x.example.org. A":     "NOERROR 192.0.2.1",
		"x.a.example.org. A":   "NOERROR 192.0.2.2",
		"x.y.a.example.org. A": "NOERROR 192.0.2.2",
		"b.a.example.org. A":   "NOERROR 192.0.2.3",
		"x.b.a.example.org. A": "NXDOMAIN",
		"a.example.org. A":     "NODATA",
	})
}

// A wildcard inside does not stand for another name that exists, nor for names below it, whatever that name
// has. They are the next plugin's.
func TestWildcardsInside(t *testing.T) {
	s := snapshotOf(t, "*.example.org. 192.0.2.1", "a.b.example.org. 192.0.2.2", "c.example.org. 192.0.2.3", "*.d.example.org. 192.0.2.4", "mail.example.org.")
	v := viewOf(t, "inside")
	check(t, v, s, map[string]string{
		"x.example.org. A":      "NOERROR 192.0.2.1",
		"x.y.example.org. A":    "NOERROR 192.0.2.1",
		"a.b.example.org. A":    "NOERROR 192.0.2.2",
		"b.example.org. A":      "NXDOMAIN",
		"x.b.example.org. A":    "NXDOMAIN",
		"x.a.b.example.org. A":  "NXDOMAIN",
		"x.c.example.org. A":    "NXDOMAIN",
		"x.d.example.org. A":    "NOERROR 192.0.2.4",
		"d.example.org. A":      "NXDOMAIN",
		"mail.example.org. A":   "NXDOMAIN",
		"x.mail.example.org. A": "NXDOMAIN",
		"example.org. A":        "NXDOMAIN",
	})
}

// Inside, what NS records delegate is not shown, whatever is published there: it is the next plugin's.
func TestDelegationsInside(t *testing.T) {
	s := snapshotOf(t, "*.example.org. 192.0.2.1", "sub.example.org. NS", "*.sub.example.org. 192.0.2.2", "h.sub.example.org. 192.0.2.3", "example.org. NS")
	check(t, viewOf(t, "inside"), s, map[string]string{
		"x.example.org. A":       "NOERROR 192.0.2.1",
		"sub.example.org. A":     "NXDOMAIN",
		"h.sub.example.org. A":   "NXDOMAIN",
		"x.sub.example.org. A":   "NXDOMAIN",
		"x.h.sub.example.org. A": "NXDOMAIN",
	})
}

// The name of the second server is as out of reach as that of the first, for wildcards and delegations.
func TestSecondServer(t *testing.T) {
	v := viewOf(t, "secondary ns2.infra")
	check(t, v, snapshotOf(t, "*.example.org. 192.0.2.1", "*.infra.example.org. 192.0.2.2"), map[string]string{
		"ns2.infra.example.org. A":   "NODATA",
		"ns2.infra.example.org. TXT": "NODATA",
		"x.ns2.infra.example.org. A": "NXDOMAIN",
		"infra.example.org. A":       "NODATA",
		"x.infra.example.org. A":     "NOERROR 192.0.2.2",
		"x.example.org. A":           "NOERROR 192.0.2.1",
		"example.org. NS":            "NOERROR dns1.kube-system.example.org. ns2.infra.example.org.",
	})
	check(t, v, snapshotOf(t, "infra.example.org. NS", "ns2.infra 192.0.2.54"), map[string]string{
		"ns2.infra.example.org. A": "NOERROR 192.0.2.54",
		"x.infra.example.org. A":   "REFER",
	})
}

// At the name of a server, and below it, there may be more than its addresses.
func TestRecordsAtServers(t *testing.T) {
	s := snapshotOf(t, "dns1.kube-system TXT", "_acme-challenge.dns1.kube-system TXT", "*.example.org. 192.0.2.1")
	check(t, viewOf(t), s, map[string]string{
		"dns1.kube-system.example.org. TXT":                 `NOERROR "text"`,
		"dns1.kube-system.example.org. A":                   "NODATA",
		"_acme-challenge.dns1.kube-system.example.org. TXT": `NOERROR "text"`,
		"x.dns1.kube-system.example.org. A":                 "NXDOMAIN",
	})
}

// A wildcard does not stand for the server's name, nor for what is above or below it.
func TestServerBesideAWildcard(t *testing.T) {
	s := snapshotOf(t, "*.example.org. 192.0.2.1", "dns1.kube-system 192.0.2.53", "other.kube-system 192.0.2.54")
	v := viewOf(t)
	check(t, v, s, map[string]string{
		"dns1.kube-system.example.org. A":   "NOERROR 192.0.2.53",
		"dns1.kube-system.example.org. TXT": "NODATA",
		"kube-system.example.org. A":        "NODATA",
		"x.kube-system.example.org. A":      "NXDOMAIN",
		"other.kube-system.example.org. A":  "NOERROR 192.0.2.54",
		"x.dns1.kube-system.example.org. A": "NXDOMAIN",
		"example.org. NS":                   "NOERROR dns1.kube-system.example.org.",
	})
	if got := ask(t, viewOf(t), snapshotOf(t, "*.example.org. 192.0.2.1"), "x.kube-system.example.org. A"); got != "NXDOMAIN" {
		t.Errorf("below the name above the server: %s", got)
	}
}

func TestAliases(t *testing.T) {
	s := snapshotOf(t, "a.example.org. b.example.org.", "b.example.org. 192.0.2.1", "out.example.org. www.example.com.", "gone.example.org. nowhere.example.org.",
		"x.example.org. y.example.org.", "y.example.org. x.example.org.", "*.w.example.org. b.example.org.")
	v := viewOf(t)
	check(t, v, s, map[string]string{
		"a.example.org. A":     "NOERROR b.example.org. 192.0.2.1",
		"a.example.org. CNAME": "NOERROR b.example.org.",
		"a.example.org. TXT":   "NODATA b.example.org.",
		"out.example.org. A":   "FOLLOW www.example.com.",
		"gone.example.org. A":  "NXDOMAIN nowhere.example.org.",
		"x.example.org. A":     "NOERROR y.example.org. x.example.org.",
		"z.w.example.org. A":   "NOERROR b.example.org. 192.0.2.1",
	})
}

// Zones of the cluster below those of published names are the cluster's, whatever an object claims.
func TestZonesOfTheClusterItself(t *testing.T) {
	s := snapshotOf(t, "kubernetes.default.svc.cluster.local. 192.0.2.1", "shop.local. 192.0.2.2", "*.local. 192.0.2.3")
	cfg, err := parseText("k8s_gateway .")
	if err != nil {
		t.Fatal(err)
	}
	v := &cfg.view
	for _, zone := range []string{"cluster.local.", "in-addr.arpa."} {
		o, err := resolve.ParseOrigin(zone)
		if err != nil {
			t.Fatal(err)
		}
		v.zones.Except = append(v.zones.Except, o)
	}
	check(t, v, s, map[string]string{
		"kubernetes.default.svc.cluster.local. A": "OUT",
		"cluster.local. SOA":                      "OUT",
		"1.2.0.192.in-addr.arpa. PTR":             "OUT",
		"shop.local. A":                           "NOERROR 192.0.2.2",
		"x.local. A":                              "NOERROR 192.0.2.3",
	})
	if cfg, err = parseText("k8s_gateway cluster.local"); err != nil {
		t.Fatal(err)
	}
	cfg.view.zones.Except = v.zones.Except // so is a zone that the Corefile gives to both
	if got := ask(t, &cfg.view, s, "kubernetes.default.svc.cluster.local. A"); got != "OUT" {
		t.Error(got)
	}
}

// A referral costs no more than a message has room for, however many servers a zone and however many addresses
// a server has.
func TestReferralsAreBounded(t *testing.T) {
	refer := func(servers, addrs int) (*dns.Msg, func()) {
		store := cluster.NewStore()
		txn := store.Begin()
		txn.SetSynced()
		txn.SetNamesSynced()
		cut := new(cluster.Published)
		for i := range servers {
			name := fmt.Sprintf("ns%d.sub.example.org.", i)
			n, _ := dnsname.Parse(name)
			cut.Records = append(cut.Records, cluster.Record{Type: dns.TypeNS, Data: n.Wire()})
			glue := new(cluster.Published)
			for k := range addrs {
				glue.Addrs = append(glue.Addrs, netip.AddrFrom4([4]byte{10, byte(i), byte(k >> 8), byte(k)}))
			}
			txn.Publish(n.Wire(), glue)
		}
		n, _ := dnsname.Parse("sub.example.org.")
		txn.Publish(n.Wire(), cut)
		txn.Commit()
		m, v, s := new(dns.Msg), viewOf(t), store.Load()
		return m, func() {
			*m = dns.Msg{}
			v.refer(m, s, &n, dns.MinMsgSize)
		}
	}
	m, small := refer(50, 1)
	_, many := refer(20000, 0)
	_, wide := refer(50, 2000)
	small()
	if len(m.Ns) < 20 || len(m.Extra) < 20 {
		t.Fatalf("%d servers, %d addresses", len(m.Ns), len(m.Extra))
	}
	cost.Same(t, "servers", small, many)
	cost.Same(t, "addresses", small, wide)
}

// Before all kinds have been listed, no name is denied, though the rest of the cluster is known.
func TestNotReady(t *testing.T) {
	store := cluster.NewStore()
	txn := store.Begin()
	txn.SetSynced()
	txn.Commit()
	v := viewOf(t)
	for _, question := range []string{"shop.example.org. A", "example.org. SOA"} {
		if got := ask(t, v, store.Load(), question); got != "SERVFAIL" {
			t.Errorf("%s: %s", question, got)
		}
	}
	n, _ := dnsname.Parse("shop.example.org.")
	if r, _ := v.zones.OutcomeBy(v.locate, store.Load(), &n, dns.TypeA); r != resolve.NotReady {
		t.Errorf("outcome %d", r)
	}
}

// What the cache is asked for agrees with the answers.
func TestCoverage(t *testing.T) {
	s := snapshotOf(t, "shop.example.org. 192.0.2.1", "*.w.example.org. 192.0.2.1", "out.example.org. www.example.com.")
	v := viewOf(t)
	for question, want := range map[string]chain.Coverage{
		"shop.example.org.":  chain.CoversAnswer,
		"x.w.example.org.":   chain.CoversAnswer,
		"w.example.org.":     chain.CoversAnswer,
		"never.example.org.": chain.CoversDenial,
		"out.example.org.":   chain.CoversNothing,
		"www.example.com.":   chain.CoversNothing,
	} {
		n, _ := dnsname.Parse(question)
		result, last := v.zones.OutcomeBy(v.locate, s, &n, dns.TypeA)
		if got := chain.CoverageOf(result, dns.TypeA, nil, last); got != want {
			t.Errorf("%s: %d, want %d", question, got, want)
		}
	}
}

// The servers' names have the addresses of both families, and so have the additional records of NS.
func TestServersOfBothFamilies(t *testing.T) {
	store := cluster.NewStore()
	txn := store.Begin()
	txn.SetSynced()
	txn.SetNamesSynced()
	for host, addrs := range map[string][]netip.Addr{
		"dns1.kube-system": {netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("2001:db8::53")},
		"dns2.kube-system": {netip.MustParseAddr("2001:db8::54")},
	} {
		n, _ := dnsname.Parse(host + ".example.org.")
		txn.Publish(n.Wire(), &cluster.Published{Addrs: addrs})
	}
	txn.Commit()
	v := viewOf(t, "secondary dns2.kube-system")
	check(t, v, store.Load(), map[string]string{
		"example.org. NS":                      "NOERROR dns1.kube-system.example.org. dns2.kube-system.example.org.",
		"dns1.kube-system.example.org. AAAA":   "NOERROR 2001:db8::53",
		"dns2.kube-system.example.org. AAAA":   "NOERROR 2001:db8::54",
		"dns2.kube-system.example.org. A":      "NODATA",
		"x.dns2.kube-system.example.org. AAAA": "NXDOMAIN",
	})
	n, _ := dnsname.Parse("example.org.")
	a := answer.LookupBy(v.locate, &v.zones, store.Load(), &n, dns.TypeNS, answer.Limits{Size: dns.MaxMsgSize})
	if len(a.Extra) != 3 {
		t.Errorf("additional records: %v", a.Extra)
	}
}
