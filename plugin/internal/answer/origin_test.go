package answer

import (
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const originCluster = `
	namespace default
	clusterip default/web 10.3.0.1 http/tcp/80
	headless default/db sql/tcp/5432
	slice default/db a sql/tcp/5432 10.0.0.1
	external default/alias web.default.svc
`

// A name is in the longest origin that encloses it.
func TestLongestOrigin(t *testing.T) {
	for _, origins := range [][]string{{"local.", "cluster.local.", "10.in-addr.arpa."}, {"10.in-addr.arpa.", "cluster.local.", "local."}} {
		v := viewOf(t, origins...)
		run(t, v, clustertest.Snapshot(t, originCluster), []row{
			{"longer", "absent.cluster.local. A", "NXDomain cluster.local."},
			{"shorter", "absent.local. A", "NXDomain local."},
			{"longer, service", "web.default.svc.cluster.local. A", `
				Success
				@ A 10.3.0.1`},
			{"shorter, service", "web.default.svc.local. A", `
				Success
				@ A 10.3.0.1`},
			{"another reverse zone", "1.168.192.in-addr.arpa. PTR", "OutOfZone"},
		})
	}
}

// PTR records lead into the first origin that is not a reverse zone.
func TestPrimaryOrigin(t *testing.T) {
	v := viewOf(t, "10.in-addr.arpa.", "Cluster.Local.", "second.example.")
	run(t, v, clustertest.Snapshot(t, originCluster), []row{
		{"PTR", "1.0.3.10.in-addr.arpa. PTR", `
			Success
			@ PTR web.default.svc.cluster.local.`},
		{"NS of the reverse zone", "10.in-addr.arpa. NS", `
			Success
			@ NS ns.dns.cluster.local.`},
		{"NS of the second zone", "second.example. NS", `
			Success
			@ NS ns.dns.second.example.`},
	})
}

// The root is the origin in a server block for the root, if the Corefile names no other.
func TestRootOrigin(t *testing.T) {
	v := viewOf(t, ".")
	v.Local = clustertest.Addrs(t, "10.0.0.1")
	run(t, v, clustertest.Snapshot(t, originCluster), []row{
		{"SOA", ". SOA", `
			Success
			@ SOA ns.dns. hostmaster. 7 7200 1800 86400 5`},
		{"NS", ". NS", `
			Success
			@ NS 10-0-0-1.db.default.svc.
			+ 10-0-0-1.db.default.svc. 5 IN A 10.0.0.1`},
		{"own name", "ns.dns. A", `
			Success
			@ A 10.0.0.1`},
		{"A", "web.default.svc. A", `
			Success
			@ A 10.3.0.1`},
		{"SRV", "_http._tcp.web.default.svc. SRV", `
			Success
			@ SRV 0 100 80 web.default.svc.
			+ web.default.svc. 5 IN A 10.3.0.1`},
		{"alias", "alias.default.svc. A", `
			Success
			@ CNAME web.default.svc.
			web.default.svc. 5 IN A 10.3.0.1`},
		{"PTR", "1.0.0.10.in-addr.arpa. PTR", `
			Success
			@ PTR 10-0-0-1.db.default.svc.`},
	})
	for question, want := range map[string]resolve.Result{
		"arpa. A": resolve.NoData, "in-addr.arpa. A": resolve.NoData, "ip6.arpa. A": resolve.NoData, "x.arpa. A": resolve.NXDomain,
		`x\007in-addr.arpa. PTR`: resolve.NXDomain, `\007in-addr\004arpa. PTR`: resolve.NXDomain,
		"svc. A": resolve.NoData, "com. A": resolve.NXDomain, "arpa.default.svc. A": resolve.NXDomain,
	} {
		if got := ask(t, v, clustertest.Snapshot(t, originCluster), question); got.Result != want {
			t.Errorf("%s: %s", question, render(got))
		}
	}
	if got := ask(t, v, clustertest.Snapshot(t, ""), "arpa. A"); got.Result != resolve.NXDomain {
		t.Errorf("no address at all: %s", render(got))
	}
}

// A network that does not end between two labels becomes several smaller reverse zones, and
// some of those may be the name of a single address.
func TestReverseOriginOfOneAddress(t *testing.T) {
	v := viewOf(t, "cluster.local.", "1.0.3.10.in-addr.arpa.", "2.0.3.10.in-addr.arpa.")
	run(t, v, clustertest.Snapshot(t, originCluster), []row{
		{"PTR", "1.0.3.10.in-addr.arpa. PTR", `
			Success
			@ PTR web.default.svc.cluster.local.`},
		{"SOA", "1.0.3.10.in-addr.arpa. SOA", `
			Success
			@ SOA ns.dns.1.0.3.10.in-addr.arpa. hostmaster.1.0.3.10.in-addr.arpa. 7 7200 1800 86400 5`},
		{"other type", "1.0.3.10.in-addr.arpa. A", "NoData 1.0.3.10.in-addr.arpa."},
		{"nobody's address", "2.0.3.10.in-addr.arpa. PTR", "NoData 2.0.3.10.in-addr.arpa."},
	})
}

// Letters may be written as numbers, and every other octet must be.
func TestEscapedOrigin(t *testing.T) {
	v := viewOf(t, `cl\085ster.l@c(l`)
	if got := v.Origins[0].String(); got != `cluster.l\@c\(l.` {
		t.Errorf("origin %s", got)
	}
	run(t, v, clustertest.Snapshot(t, originCluster), []row{
		{"spelled as asked", `Absent.C\076uster.l@c\(L. A`, `NXDomain CLuster.l\@c\(L.`},
	})
}

const longLabel = "123456789-123456789-123456789-123456789-123456789-123456789-123."
