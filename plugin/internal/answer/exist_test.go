package answer

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/test/kit/reverse"
)

// telling are types that some names have, and types that no name has.
var telling = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypePTR, dns.TypeTXT, dns.TypeSOA, dns.TypeNS,
	dns.TypeCNAME, dns.TypeHTTPS, dns.TypeDS, dns.TypeANY, dns.TypeNone,
}

// Every name of a cluster exists for every type, up to its origin (RFC 8020), with exactly
// its records.
func TestEveryNameExists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, s := clustertest.DrawCluster(t)
		v := drawView(t)
		o := oracleOf(m, v)
		for _, name := range slices.Sorted(maps.Keys(o.names)) {
			got := map[string]bool{}
			for _, qtype := range telling {
				a := askType(t, v, s, name, qtype)
				checkForm(t, name, qtype, a)
				checkTargets(t, v, s, a)
				if !exists(a) {
					t.Fatalf("%s %s does not exist", name, dns.Type(qtype))
				}
				if qtype != dns.TypeANY {
					maps.Copy(got, records(a))
				}
			}
			own := o.names[name]
			if !o.aliases[name] && !strings.HasPrefix(name, "ns.dns.") && !maps.Equal(got, own) {
				t.Fatalf("%s has %v, want %v", name, got, own)
			}
		}
	})
}

// checkTargets checks that the target of every SRV record has the addresses in the
// additional section.
func checkTargets(t *rapid.T, v *resolve.View, s *cluster.Snapshot, a Answer) {
	t.Helper()
	for _, rr := range a.Records {
		srv, ok := rr.(*dns.SRV)
		if !ok {
			continue
		}
		has := slices.Concat(askType(t, v, s, srv.Target, dns.TypeA).Records, askType(t, v, s, srv.Target, dns.TypeAAAA).Records)
		same := func(x dns.RR) bool {
			return slices.ContainsFunc(has, func(y dns.RR) bool { return x.String() == y.String() })
		}
		given := slices.DeleteFunc(slices.Clone(a.Extra), func(x dns.RR) bool { return x.Header().Name != srv.Target })
		if len(given) == 0 || slices.ContainsFunc(given, func(x dns.RR) bool { return !same(x) }) {
			t.Fatalf("%s has %v, but as a target %v", srv.Target, has, given)
		}
	}
}

// No other name exists, for any type.
func TestNoOtherNameExists(t *testing.T) {
	labels := slices.Concat(clustertest.PoolNamespaces, clustertest.PoolNames, clustertest.PoolHostnames[3:], clustertest.PoolClusters[1:], []string{
		"_zone", "pin", "prefer", "z1", "eu", "eu\\.z1",
		"_http", "_tcp", "tcp", "_", "udp", "svc", "pod", "dns", "ns", "dns-version", "10-0-0-1", "--1", "2001-db8--0", "x",
	})
	origins := []string{"cluster.local.", "clusterset.local."}
	digits := []string{"10", "0", "1", "2", "192", "168", "f", "d", "8", "b"}
	rapid.Check(t, func(t *rapid.T) {
		m, s := clustertest.DrawCluster(t)
		v := drawView(t)
		o := oracleOf(m, v)
		service := func() []string {
			return []string{clustertest.One(t, "service", clustertest.PoolNames), clustertest.One(t, "namespace", clustertest.PoolNamespaces), "svc", clustertest.One(t, "origin", origins)}
		}
		for range 50 {
			var name string
			switch clustertest.One(t, "form", []string{"any", "service", "zonal", "reverse"}) {
			case "any":
				name = strings.Join(append(clustertest.Some(t, "labels", labels, 5), clustertest.One(t, "origin", origins)), ".")
			case "service":
				name = strings.Join(append(clustertest.Some(t, "labels", labels, 4), service()...), ".")
			case "zonal":
				below := append([]string{clustertest.One(t, "directive", []string{"pin", "prefer", "x"}), "_zone"}, service()...)
				name = strings.Join(append(clustertest.Some(t, "labels", labels, 3), below...), ".")
			case "reverse":
				name = strings.Join(append(clustertest.Some(t, "digits", digits, 5), clustertest.One(t, "tree", []string{"in-addr.arpa.", "ip6.arpa."})), ".")
			}
			qtype := clustertest.One(t, "qtype", telling)
			a := askType(t, v, s, name, qtype)
			checkForm(t, name, qtype, a)
			want := o.has(strings.ToLower(name))
			if got := exists(a); got != (want || aboveHidden(m, name)) {
				t.Fatalf("%s %s exists: %v, want %v", name, dns.Type(qtype), got, want)
			}
		}
	})
}

// aboveHidden reports whether a reverse name exists only because of addresses that a view
// does not show: to find out would take a look at each of them.
func aboveHidden(m *clustertest.Model, name string) bool {
	for _, a := range clustertest.PoolAddrs {
		indexed := len(m.Owners(a)) > 0
		for key := range m.Slices {
			for _, service := range clustertest.PoolNames {
				indexed = indexed || m.EndpointOf(cluster.Key{Namespace: key.Namespace, Name: service}, a)
			}
		}
		if indexed && slices.ContainsFunc(reverse.Names(a.String()), func(of string) bool { return strings.HasSuffix(of, "."+name) }) {
			return true
		}
	}
	return false
}

// exists reports whether a name exists. An alias to a missing name exists.
func exists(a Answer) bool { return a.Result != resolve.NXDomain || len(a.Records) > 0 }

// D7: the type does not decide whether a name exists, and every type at every kind of name
// has a result that clients understand.
func TestD7EveryTypeAtEveryName(t *testing.T) {
	s := clustertest.Snapshot(t, specServices+specHeadless+specExternal+namesCluster+apexCluster+"pod default web 10.0.0.1")
	v := clusterView(t)
	v.Pods, v.Local = resolve.PodsVerified, clustertest.Addrs(t, "10.0.0.2,10.0.0.4,2001:db8::9")
	checkExistence(t, v, s, map[string]bool{
		"cluster.local.": true, "svc.cluster.local.": true, "pod.cluster.local.": true, "dns.cluster.local.": true,
		"ns.dns.cluster.local.": true, "dns-version.cluster.local.": true, "default.svc.cluster.local.": true,
		"dual.default.svc.cluster.local.": true, "portless.default.svc.cluster.local.": true, "pending.default.svc.cluster.local.": true,
		"_tcp.dual.default.svc.cluster.local.": true, "_https._tcp.dual.default.svc.cluster.local.": true,
		"headless.default.svc.cluster.local.": true, "my-pet.headless.default.svc.cluster.local.": true,
		"_https._tcp.headless.default.svc.cluster.local.": true, "web-0.web.default.svc.cluster.local.": true,
		"foo.default.svc.cluster.local.": true, "near.default.svc.cluster.local.": true, "ping.default.svc.cluster.local.": true,
		"dangling.default.svc.cluster.local.": true, "default.pod.cluster.local.": true, "10-0-0-1.default.pod.cluster.local.": true,
		"in-addr.arpa.": true, "10.in-addr.arpa.": true, "1.0.3.10.in-addr.arpa.": true, "ip6.arpa.": true, "0.0.2.ip6.arpa.": true,
		"empty.default.svc.cluster.local.": false, "literal.default.svc.cluster.local.": false, "x.foo.default.svc.cluster.local.": false,
		"absent.cluster.local.": false, "absent.svc.cluster.local.": false, "absent.default.svc.cluster.local.": false,
		"10-0-0-7.default.pod.cluster.local.": false, "99.0.3.10.in-addr.arpa.": false, "x.ip6.arpa.": false,
	})
}

// checkExistence asks for every name with every type: the type must not decide whether a
// name exists.
func checkExistence(t *testing.T, v *resolve.View, s *cluster.Snapshot, names map[string]bool) {
	t.Helper()
	for name, exist := range names {
		for qtype := range uint16(261) {
			a := askType(t, v, s, name, qtype)
			checkForm(t, name, qtype, a)
			if exists(a) != exist {
				t.Errorf("%s %s: %s", name, dns.Type(qtype), render(a))
			}
		}
	}
}

// checkForm checks what holds for every answer in a zone.
func checkForm(t clustertest.T, name string, qtype uint16, a Answer) {
	t.Helper()
	fail := func(why string) { t.Fatalf("%s %s: %s\n%s", name, dns.Type(qtype), why, render(a)) }
	isAlias := func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeCNAME }
	aliases := len(a.Records) - len(slices.DeleteFunc(slices.Clone(a.Records), isAlias))
	switch a.Result {
	case resolve.Success:
		if len(a.Records) == 0 || len(a.Authority) > 0 {
			fail("success needs records, and no SOA record")
		}
	case resolve.NoData, resolve.NXDomain:
		if len(a.Authority) != 1 || a.Authority[0].Header().Rrtype != dns.TypeSOA || len(a.Extra) > 0 || aliases < len(a.Records) {
			fail("a denial needs one SOA record, and no records but aliases")
		}
	case resolve.FollowTarget:
		if aliases == 0 || aliases < len(a.Records) || a.Target != a.Records[aliases-1].(*dns.CNAME).Target || len(a.Authority) > 0 {
			fail("only aliases lead out of zone")
		}
	default:
		fail("no such result in zone")
	}
	owner := name
	for i, rr := range a.Records {
		h := rr.Header()
		if h.Name != owner || h.Class != dns.ClassINET || i < aliases && h.Rrtype != dns.TypeCNAME {
			fail("broken chain")
		}
		if qtype != dns.TypeANY && i >= aliases && h.Rrtype != qtype {
			fail("a record of another type")
		}
		if cname, ok := rr.(*dns.CNAME); ok {
			owner = cname.Target
		}
	}
	checkSets(t, name, qtype, a)
}

// checkSets checks that no record is repeated, and that each fits into a message.
func checkSets(t clustertest.T, name string, qtype uint16, a Answer) {
	t.Helper()
	seen := map[string]bool{}
	for _, rr := range slices.Concat(a.Records, a.Authority, a.Extra) {
		if text := rr.String(); seen[text] {
			t.Fatalf("%s %s: twice in one answer: %s", name, dns.Type(qtype), text)
		}
		seen[rr.String()] = true
		if _, err := dns.PackRR(rr, make([]byte, dns.Len(rr)+1), 0, nil, false); err != nil {
			t.Fatalf("%s %s: %s cannot be sent: %v", name, dns.Type(qtype), rr, err)
		}
	}
}
