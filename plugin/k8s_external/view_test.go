package external

import (
	"math"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/answer/answertest"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// viewOf returns a view as most Corefiles configure it.
func viewOf(t clustertest.T, origins ...string) *view {
	t.Helper()
	apex, err := dnsname.Parse(defaultApex)
	if err != nil {
		t.Fatal(err)
	}
	v := &view{zones: *answertest.View(t, origins...), apex: apex}
	v.show(answertest.ClusterView(t))
	return v
}

// lookup answers a question written as "name type". Tests may change the view.
func lookup(t clustertest.T, v *view, s *cluster.Snapshot, question string) answer.Answer {
	t.Helper()
	n, qtype := parseQuestion(t, question)
	v.show(v.cluster)
	a := v.lookup(s, n, qtype, unlimited)
	checkOutcome(t, v, s, n, qtype, &a)
	return a
}

// checkOutcome compares the result without records with that of a look-up.
func checkOutcome(t clustertest.T, v *view, s *cluster.Snapshot, n *dnsname.Name, qtype uint16, a *answer.Answer) {
	t.Helper()
	want := a.Result
	if want == resolve.NoData {
		want = resolve.Success
	}
	if len(a.Hosts) > 0 {
		want = resolve.FollowTarget
	}
	if got, last := v.zones.OutcomeBy(v.locate, s, n, qtype); got != want || a.Target != "" && last.String() != a.Target {
		t.Errorf("%s %s: the outcome is %d at %s, the answer %+v", n, dns.Type(qtype), got, last, *a)
	}
}

type row = answertest.Row

func run(t *testing.T, v *view, s *cluster.Snapshot, rows []row) {
	t.Helper()
	answertest.Run(t, rows, func(question string) string { return render(lookup(t, v, s, question)) })
}

// render writes an answer as text.
func render(a answer.Answer) string {
	return answertest.Render(a.Result, a.Target, a.Records, a.Authority, a.Extra, func(owner string) string {
		return owner + "\t5\tIN\tSOA\tns1.dns." + owner + " hostmaster.dns." + owner + " 7 7200 1800 86400 5"
	})
}

const outsideServices = `
	namespace default
	namespace hidden
	outside default/web 192.0.2.1,2001:db8::1,192.0.2.2 - https/tcp/443 dns/udp/53 /tcp/81
	outside default/portless 192.0.2.3 -
	outside default/lb - lb.example.net. http/tcp/80
	outside default/two - lb.example.net.,lb2.example.net. http/tcp/80
	outside default/mixed 192.0.2.4 lb.example.net. http/tcp/80
	outside-headless default/pets 192.0.2.5 - http/tcp/80
	outside hidden/secret 192.0.2.6,192.0.2.1 - http/tcp/80
	outside absent/web 192.0.2.7 - http/tcp/80
	clusterip default/inner 10.3.0.1 http/tcp/80
	headless default/db http/tcp/80
	headless default/none http/tcp/80
	external default/alias www.example.com.
	slice default/pets a http/tcp/80 10.0.0.5=pet-0
	slice default/inner a http/tcp/8080 10.0.0.1=one 10.0.0.2
	slice default/db a http/tcp/8080 10.0.0.3=db-0 10.0.0.4 2001:db8::4
`

func TestAddresses(t *testing.T) {
	v := viewOf(t, "example.org.")
	v.cluster.Namespaces = map[string]struct{}{"default": {}}
	run(t, v, clustertest.Snapshot(t, outsideServices), []row{
		{"IPv4", "web.default.example.org. A", `
			Success
			@ A 192.0.2.1
			@ A 192.0.2.2`},
		{"IPv6, in the spelling of the question", "WEB.Default.Example.ORG. AAAA", `
			Success
			@ AAAA 2001:db8::1`},
		{"other family", "portless.default.example.org. AAAA", "NoData example.org."},
		{"other type", "web.default.example.org. TXT", "NoData example.org."},
		{"any type", "portless.default.example.org. ANY", `
			Success
			@ A 192.0.2.3`},
		{"every port, at the Service itself", "web.default.example.org. SRV", `
			Success
			@ SRV 0 11 443 web.default.example.org.
			@ SRV 0 11 53 web.default.example.org.
			@ SRV 0 11 81 web.default.example.org.
			+ @ A 192.0.2.1
			+ @ AAAA 2001:db8::1
			+ @ A 192.0.2.2`},
		{"one port", "_dns._udp.web.default.example.org. SRV", `
			Success
			@ SRV 0 33 53 web.default.example.org.
			+ web.default.example.org. 5 IN A 192.0.2.1
			+ web.default.example.org. 5 IN AAAA 2001:db8::1
			+ web.default.example.org. 5 IN A 192.0.2.2`},
		{"address of a port, without underscores", "dns.udp.web.default.example.org. AAAA", `
			Success
			@ AAAA 2001:db8::1`},
		{"headless with an external address", "pets.default.example.org. A", `
			Success
			@ A 192.0.2.5`},
		{"no ports", "portless.default.example.org. SRV", "NoData example.org."},
	})
}

func TestAbsence(t *testing.T) {
	v := viewOf(t, "example.org.")
	v.cluster.Namespaces = map[string]struct{}{"default": {}}
	run(t, v, clustertest.Snapshot(t, outsideServices), []row{
		{"no such port", "_http._tcp.web.default.example.org. SRV", "NXDomain example.org."},
		{"no external address", "inner.default.example.org. A", "NXDomain example.org."},
		{"headless", "db.default.example.org. A", "NXDomain example.org."},
		{"ExternalName", "alias.default.example.org. A", "NXDomain example.org."},
		{"no such Service", "nobody.default.example.org. A", "NXDomain example.org."},
		{"Namespace", "default.example.org. A", "NoData example.org."},
		{"no such Namespace", "absent.example.org. A", "NXDomain example.org."},
		{"in a Namespace that does not exist", "web.absent.example.org. A", "NXDomain example.org."},
		{"Namespace that is not shown", "hidden.example.org. A", "NXDomain example.org."},
		{"in a Namespace that is not shown", "secret.hidden.example.org. A", "NXDomain example.org."},
		{"one label too many", "x._dns._udp.web.default.example.org. A", "NXDomain example.org."},
		{"another zone", "web.default.example.com. A", "OutOfZone"},
	})
}

// D22: a name below a Service is an empty non-terminal above its ports, or does not exist.
func TestD22BelowAService(t *testing.T) {
	s := clustertest.Snapshot(t, outsideServices)
	for _, headless := range []bool{false, true} {
		v := viewOf(t, "example.org.")
		v.headless = headless
		run(t, v, s, []row{
			{"no endpoint", "x.web.default.example.org. A", "NXDomain example.org."},
			{"endpoint behind an external address", "pet-0.pets.default.example.org. A", "NXDomain example.org."},
			{"protocol", "_tcp.web.default.example.org. A", "NoData example.org."},
			{"protocol without underscore", "udp.web.default.example.org. SRV", "NoData example.org."},
			{"protocol without a named port", "_sctp.web.default.example.org. A", "NXDomain example.org."},
			{"protocol of a load balancer", "_tcp.lb.default.example.org. A", "NoData example.org."},
			{"protocol of a ClusterIP", "_tcp.inner.default.example.org. A", "NXDomain example.org."},
			{"port of a ClusterIP", "_http._tcp.inner.default.example.org. A", "NXDomain example.org."},
		})
	}
}

// D26: a single underscore is not a wildcard.
func TestD26UnderscoreIsNoWildcard(t *testing.T) {
	if got := lookup(t, viewOf(t, "example.org."), clustertest.Snapshot(t, outsideServices), "_._tcp.web.default.example.org. SRV"); got.Result != resolve.NXDomain {
		t.Errorf("%s", render(got))
	}
}

// D9: a Namespace that is not shown, or unknown because no selector selects it, is hidden
// from reverse names and from transfers too.
func TestD9HiddenNamespaces(t *testing.T) {
	s := clustertest.Snapshot(t, `
		namespace default
		namespace hidden
		clusterip hidden/web 10.3.0.1
		clusterip unknown/web 10.3.0.2
		headless hidden/db sql/tcp/1
		slice hidden/db a sql/tcp/1 10.0.0.1=db-0
		headless unknown/db sql/tcp/1
		slice unknown/db a sql/tcp/1 10.0.0.2=db-0
		external hidden/alias www.example.com.
		external unknown/alias www.example.com.
		outside hidden/site 192.0.2.1 - http/tcp/80
		outside unknown/site 192.0.2.2 - http/tcp/80
	`)
	v := viewOf(t, "example.org.", "in-addr.arpa.")
	v.headless, v.cluster.Namespaces = true, map[string]struct{}{"default": {}, "unknown": {}}
	for _, name := range []string{"1.0.3.10", "2.0.3.10", "1.0.0.10", "2.0.0.10", "1.2.0.192", "2.2.0.192"} {
		if a := lookup(t, v, s, name+".in-addr.arpa. PTR"); a.Result != resolve.NXDomain {
			t.Errorf("%s: %s", name, render(a))
		}
	}
	zone := zoneOf(v, s, "example.org.")
	for _, name := range []string{"hidden", "unknown"} {
		if strings.Contains(zone, name) {
			t.Errorf("transferred of the Namespace %s:\n%s", name, zone)
		}
	}
}

// D19: a different answer means a different serial, even twice within a second.
func TestD19EveryChangeHasASerial(t *testing.T) {
	store, v := cluster.NewStore(), viewOf(t, "example.org.")
	clustertest.Commit(store, (*cluster.Txn).SetSynced)
	store.Checkpoint(100)
	site := &cluster.Service{Key: clustertest.KeyOf("default/site"), ExternalIPs: clustertest.Addrs(t, "192.0.2.1")}
	moved := &cluster.Service{Key: clustertest.KeyOf("default/site"), ExternalIPs: clustertest.Addrs(t, "192.0.2.2")}
	slice := clustertest.SliceOf(t, []string{"default/db", "a", "10.0.0.1"})
	for i, step := range []struct {
		name   string
		change func(*cluster.Txn)
	}{
		{"a Namespace comes", func(txn *cluster.Txn) { txn.PutNamespace("default") }},
		{"a Service comes", func(txn *cluster.Txn) { txn.ReplaceService(nil, site) }},
		{"its address changes", func(txn *cluster.Txn) { txn.ReplaceService(site, moved) }},
		{"it goes", func(txn *cluster.Txn) { txn.ReplaceService(moved, nil) }},
		{"endpoints come", func(txn *cluster.Txn) { txn.ReplaceSlice(nil, slice) }},
		{"they go", func(txn *cluster.Txn) { txn.ReplaceSlice(slice, nil) }},
		{"the Namespace goes", func(txn *cluster.Txn) { txn.DeleteNamespace("default") }},
	} {
		clustertest.Commit(store, step.change)
		store.Checkpoint(100) // still the same second
		soa := lookup(t, v, store.Load(), "example.org. SOA").Records[0].(*dns.SOA)
		if want := uint32(101 + i); soa.Serial != want {
			t.Errorf("%s: serial %d, want %d", step.name, soa.Serial, want)
		}
	}
}

func TestNameKind(t *testing.T) {
	v := viewOf(t, "example.org.")
	for _, question := range []string{"example.org. SOA", "web.default.example.org. A", "lb.default.example.org. A", "x.example.org. A"} {
		if a := lookup(t, v, clustertest.Snapshot(t, outsideServices), question); a.Kind != resolve.KindExternal {
			t.Errorf("%s: kind %d", question, a.Kind)
		}
	}
}

// unlimited has room for every record there is.
var unlimited = answer.Limits{Size: math.MaxInt32}
