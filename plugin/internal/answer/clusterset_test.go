package answer

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const clusterSet = `
	namespace default
	namespace hidden
	clusterip default/hello 10.3.0.1 tcp/tcp/42 udp/udp/42
	slice default/hello a tcp/tcp/42 10.0.0.1=hello-0
	headless default/local sql/tcp/5432
	slice default/local a sql/tcp/5432 10.0.0.2
	external default/alias hello.default.svc.clusterset.local.
	external default/dangling local.default.svc.clusterset.local.
	imported-clusterip default/hello 10.4.0.1,2001:db8::1 tcp/tcp/42 udp/udp/42 web/tcp/80
	imported-slice east default/hello a tcp/tcp/42 10.5.0.1=hello-0
	imported-clusterip default/portless 10.4.0.2
	imported-clusterip default/pending - tcp/tcp/42
	imported-headless default/db sql/tcp/5432
	imported-slice East default/db a sql/tcp/5432 10.5.0.2=db-0 10.5.0.3
	imported-slice west default/db b sql/tcp/5432 metrics/tcp/9 10.6.0.2=DB-0 2001:db8::2
	imported-slice north default/db c sql/tcp/5432
	imported-headless default/portless-db
	imported-slice k8s default/portless-db a 10.5.0.4=db-0
	imported-headless default/untold sql/tcp/5432
	imported-slice - default/untold a sql/tcp/5432 10.5.0.5=db-0
	imported-headless default/empty sql/tcp/5432
	imported-slice east default/orphan a sql/tcp/5432 10.5.0.6=db-0
	imported-clusterip hidden/hello 10.4.0.7 tcp/tcp/42
	imported-clusterip absent/hello 10.4.0.8 tcp/tcp/42
`

// setView returns a view of a cluster set in which one Namespace is shown.
func setView(t clustertest.T) *resolve.View {
	t.Helper()
	v := clusterSetView(t)
	v.Namespaces = map[string]struct{}{"default": {}, "absent": {}}
	return v
}

func TestClusterSetIP(t *testing.T) {
	run(t, setView(t), clustertest.Snapshot(t, clusterSet), []row{
		{"IPv4", "hello.default.svc.clusterset.local. A", `
			Success
			@ A 10.4.0.1`},
		{"IPv6", "Hello.Default.svc.ClusterSet.local. AAAA", `
			Success
			@ AAAA 2001:db8::1`},
		{"the cluster's own", "hello.default.svc.cluster.local. A", `
			Success
			@ A 10.3.0.1`},
		{"the cluster's own, other family", "hello.default.svc.cluster.local. AAAA", "NoData cluster.local."},
		// Two of the three ports have one number: their records are one.
		{"SRV", "hello.default.svc.clusterset.local. SRV", `
			Success
			@ SRV 0 16 42 hello.default.svc.clusterset.local.
			@ SRV 0 16 80 hello.default.svc.clusterset.local.
			+ @ A 10.4.0.1
			+ @ AAAA 2001:db8::1`},
		{"SRV of a port", "_udp._UDP.hello.default.svc.CLUSTERSET.local. SRV", `
			Success
			@ SRV 0 50 42 hello.default.svc.CLUSTERSET.local.
			+ hello.default.svc.CLUSTERSET.local. 5 IN A 10.4.0.1
			+ hello.default.svc.CLUSTERSET.local. 5 IN AAAA 2001:db8::1`},
		{"address of a port", "_web._tcp.hello.default.svc.clusterset.local. A", `
			Success
			@ A 10.4.0.1`},
		{"one underscore", "web._tcp.hello.default.svc.clusterset.local. A", `
			Success
			@ A 10.4.0.1`},
		{"no such port", "_web._udp.hello.default.svc.clusterset.local. SRV", "NXDomain clusterset.local."},
		{"protocol", "_tcp.hello.default.svc.clusterset.local. A", "NoData clusterset.local."},
		// Without an underscore it is an endpoint of a cluster.
		{"no underscore", "web.tcp.hello.default.svc.clusterset.local. A", "NXDomain clusterset.local."},
		{"no ports", "portless.default.svc.clusterset.local. A", `
			Success
			@ A 10.4.0.2`},
		{"no ports, SRV", "portless.default.svc.clusterset.local. SRV", "NoData clusterset.local."},
		{"no address yet", "pending.default.svc.clusterset.local. A", "NoData clusterset.local."},
		// A single cluster has no address of the set, but its endpoints have names.
		{"one cluster", "east.hello.default.svc.clusterset.local. A", "NoData clusterset.local."},
		{"endpoint", "hello-0.east.hello.default.svc.clusterset.local. A", `
			Success
			@ A 10.5.0.1`},
	})
}

func TestClusterSetHeadless(t *testing.T) {
	run(t, setView(t), clustertest.Snapshot(t, clusterSet), []row{
		{"IPv4, several clusters", "db.default.svc.clusterset.local. A", `
			Success
			@ A 10.5.0.2
			@ A 10.5.0.3
			@ A 10.6.0.2`},
		{"IPv6", "db.default.svc.clusterset.local. AAAA", `
			Success
			@ AAAA 2001:db8::2`},
		{"one hostname in two clusters, the first", "db-0.east.db.default.svc.clusterset.local. A", `
			Success
			@ A 10.5.0.2`},
		{"one hostname in two clusters, the second", "Db-0.West.db.default.svc.clusterset.local. A", `
			Success
			@ A 10.6.0.2`},
		{"identifier", "2001-db8--2.west.db.default.svc.clusterset.local. AAAA", `
			Success
			@ AAAA 2001:db8::2`},
		{"endpoint, other family", "db-0.west.db.default.svc.clusterset.local. AAAA", "NoData clusterset.local."},
		{"endpoint, SRV", "db-0.west.db.default.svc.clusterset.local. SRV", `
			Success
			@ SRV 0 50 5432 db-0.west.db.default.svc.clusterset.local.
			@ SRV 0 50 9 db-0.west.db.default.svc.clusterset.local.
			+ @ A 10.6.0.2`},
		{"SRV of a port", "_sql._tcp.db.default.svc.ClusterSet.local. SRV", `
			Success
			@ SRV 0 25 5432 db-0.east.db.default.svc.ClusterSet.local.
			@ SRV 0 25 5432 10-5-0-3.east.db.default.svc.ClusterSet.local.
			@ SRV 0 25 5432 db-0.west.db.default.svc.ClusterSet.local.
			@ SRV 0 25 5432 2001-db8--2.west.db.default.svc.ClusterSet.local.
			+ db-0.east.db.default.svc.ClusterSet.local. 5 IN A 10.5.0.2
			+ 10-5-0-3.east.db.default.svc.ClusterSet.local. 5 IN A 10.5.0.3
			+ db-0.west.db.default.svc.ClusterSet.local. 5 IN A 10.6.0.2
			+ 2001-db8--2.west.db.default.svc.ClusterSet.local. 5 IN AAAA 2001:db8::2`},
		{"address of a port of one cluster", "_metrics._tcp.db.default.svc.clusterset.local. A", `
			Success
			@ A 10.6.0.2`},
		{"cluster", "WEST.db.default.svc.clusterset.local. A", "NoData clusterset.local."},
		{"no ports", "db-0.k8s.portless-db.default.svc.clusterset.local. A", `
			Success
			@ A 10.5.0.4`},
		{"no ports, SRV", "portless-db.default.svc.clusterset.local. SRV", "NoData clusterset.local."},
		// A slice should name its cluster. If it does not, its targets must exist all the
		// same.
		{"cluster not known", "untold.default.svc.clusterset.local. SRV", `
			Success
			@ SRV 0 100 5432 db-0.untold.default.svc.clusterset.local.
			+ db-0.untold.default.svc.clusterset.local. 5 IN A 10.5.0.5`},
		{"cluster not known, endpoint", "db-0.untold.default.svc.clusterset.local. A", `
			Success
			@ A 10.5.0.5`},
	})
}

// The names that exist in either zone. Imports exist in their own zone only.
func TestClusterSetNames(t *testing.T) {
	const set, svc = ".default.svc.clusterset.local.", ".default.svc.cluster.local."
	checkExistence(t, setView(t), clustertest.Snapshot(t, clusterSet), map[string]bool{
		"clusterset.local.": true, "svc.clusterset.local.": true, "default.svc.clusterset.local.": true,
		"hidden.svc.clusterset.local.": false, "hello.hidden.svc.clusterset.local.": false,
		"absent.svc.clusterset.local.": false, "hello.absent.svc.clusterset.local.": false,
		"hello" + set: true, "east.hello" + set: true, "hello-0.hello" + set: false, "west.hello" + set: false,
		"db" + set: true, "east.db" + set: true, "west.db" + set: true, "_tcp.db" + set: true, "tcp.db" + set: true,
		"db-0.db" + set: false, "10-5-0-3.db" + set: false, "north.db" + set: false, "south.db" + set: false,
		"_west.db" + set: false, "db-0._west.db" + set: false, "_db-0.west.db" + set: false,
		"10-5-0-2.east.db" + set: false, "10-5-0-3.west.db" + set: false, "db-0.north.db" + set: false, "db-1.east.db" + set: false,
		"x.db-0.east.db" + set: false, "_sql._tcp.east.db" + set: false, "_sql._tcp.db-0.east.db" + set: false,
		"k8s.portless-db" + set: true, `\226\132\1708s.portless-db` + set: false, `db-0.\226\132\1708s.portless-db` + set: false,
		"empty" + set: false, "_tcp.empty" + set: false, "east.empty" + set: false, "orphan" + set: false, "east.orphan" + set: false,
		"alias" + set: false, "local" + set: false,
		"local" + svc: true, "db" + svc: false, "db-0.east.db" + svc: false, "portless" + svc: false,
		"hello-0.hello" + svc: true, "east.hello" + svc: false, "hello-0.east.hello" + svc: false,
		"1.0.4.10.in-addr.arpa.": false, "4.10.in-addr.arpa.": false, "2.0.5.10.in-addr.arpa.": false, "6.10.in-addr.arpa.": false,
		"1.0.3.10.in-addr.arpa.": true, "2.0.0.10.in-addr.arpa.": true,
	})
}

func TestClusterSetApex(t *testing.T) {
	v := setView(t)
	v.Local = clustertest.Addrs(t, "10.0.0.9")
	run(t, v, clustertest.Snapshot(t, clusterSet), []row{
		{"SOA", "ClusterSet.local. SOA", `
			Success
			@ SOA ns.dns.ClusterSet.local. hostmaster.ClusterSet.local. 7 7200 1800 86400 5`},
		{"NS", "clusterset.local. NS", `
			Success
			@ NS ns.dns.clusterset.local.
			+ ns.dns.clusterset.local. 5 IN A 10.0.0.9`},
		{"own name", "ns.dns.clusterset.local. A", `
			Success
			@ A 10.0.0.9`},
		{"version", "dns-version.clusterset.local. TXT", `
			Success
			dns-version.clusterset.local. 28800 IN TXT "1.1.0"`},
		{"A", "clusterset.local. A", "NoData clusterset.local."},
		// The zone of the cluster set is the first of the view.
		{"pointer", "1.0.3.10.in-addr.arpa. PTR", `
			Success
			@ PTR hello.default.svc.cluster.local.`},
		{"NS of a reverse zone", "in-addr.arpa. NS", `
			Success
			@ NS ns.dns.cluster.local.
			+ ns.dns.cluster.local. 5 IN A 10.0.0.9`},
		{"alias into the set", "alias.default.svc.cluster.local. A", `
			Success
			@ CNAME hello.default.svc.clusterset.local.
			hello.default.svc.clusterset.local. 5 IN A 10.4.0.1`},
		{"alias of what is not imported", "dangling.default.svc.cluster.local. A", `
			NXDomain clusterset.local.
			@ CNAME local.default.svc.clusterset.local.`},
	})
}

// The Service that this server is an endpoint of has no name in the cluster set, but its
// address is used.
func TestClusterSetNameServers(t *testing.T) {
	v := setView(t)
	v.Local = clustertest.Addrs(t, "10.0.0.1") // an endpoint of the local Service hello
	run(t, v, clustertest.Snapshot(t, clusterSet), []row{{"NS", "clusterset.local. NS", `
		Success
		@ NS ns.dns.clusterset.local.
		+ ns.dns.clusterset.local. 5 IN A 10.3.0.1`}})
}

// Without a zone of the cluster's own, PTR records lead into the zone of the cluster set.
func TestClusterSetAlone(t *testing.T) {
	v := viewOf(t, "in-addr.arpa.", "clusterset.local.")
	v.Origins[1].ClusterSet = true
	run(t, v, clustertest.Snapshot(t, clusterSet), []row{{"PTR", "1.0.3.10.in-addr.arpa. PTR", `
		Success
		@ PTR hello.default.svc.clusterset.local.`}})
}

// The name of an endpoint has one label more than elsewhere, and four long labels do not
// fit into a name. The other endpoints must not suffer from that.
func TestClusterSetLongNames(t *testing.T) {
	long := strings.TrimSuffix(longLabel, ".")
	s := clustertest.Snapshot(t, strings.ReplaceAll(`
		namespace LONG
		imported-headless LONG/LONG http/tcp/80
		imported-slice LONG LONG/LONG a http/tcp/80 10.5.0.1=LONG
		imported-slice c LONG/LONG b http/tcp/80 10.5.0.2=LONG
		imported-slice c LONG/LONG c http/tcp/80 10.5.0.3=h`, "LONG", long))
	name := long + "." + long + ".svc.clusterset.local."
	for qtype, want := range map[uint16]int{dns.TypeA: 3, dns.TypeSRV: 2, dns.TypeANY: 3} {
		a := askType(t, clusterSetView(t), s, name, qtype)
		checkSets(t, name, qtype, a)
		if len(a.Records) != want || qtype == dns.TypeSRV && len(a.Extra) != want {
			t.Errorf("%s %s: %s", name, dns.Type(qtype), render(a))
		}
	}
}
