package answer

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const apexCluster = `
	namespace kube-system
	clusterip kube-system/kube-dns 10.3.0.10,2001:db8::10 dns/udp/53
	slice kube-system/kube-dns a dns/udp/53 10.0.0.2 10.0.0.3
	headless kube-system/direct dns/udp/53
	slice kube-system/direct a dns/udp/53 10.0.0.4=ns-a 10.0.0.5
	slice kube-system/direct b dns/udp/53 10.0.0.6
	headless kube-system/both dns/udp/53
	slice kube-system/both a dns/udp/53 10.0.0.5
`

func TestApex(t *testing.T) {
	run(t, clusterView(t), clustertest.Snapshot(t, apexCluster), []row{
		{"SOA", "cluster.local. SOA", `
			Success
			@ SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5`},
		{"ANY", "cluster.local. ANY", `
			Success
			@ SOA ns.dns.cluster.local. hostmaster.cluster.local. 7 7200 1800 86400 5`},
		{"NS without an address", "cluster.local. NS", `
			Success
			@ NS ns.dns.cluster.local.`},
		{"A", "cluster.local. A", "NoData cluster.local."},
		{"DS", "cluster.local. DS", "NoData cluster.local."},
		{"HTTPS", "cluster.local. HTTPS", "NoData cluster.local."},
		{"SOA of a reverse zone", "in-addr.arpa. SOA", `
			Success
			@ SOA ns.dns.in-addr.arpa. hostmaster.in-addr.arpa. 7 7200 1800 86400 5`},
		{"NS of a reverse zone", "in-addr.arpa. NS", `
			Success
			@ NS ns.dns.cluster.local.`},
		// Below the apex a SOA or NS question is like any other.
		{"SOA of a service", "kube-dns.kube-system.svc.cluster.local. SOA", "NoData cluster.local."},
		{"SOA of an empty non-terminal", "svc.cluster.local. SOA", "NoData cluster.local."},
		{"NS of a service", "kube-dns.kube-system.svc.cluster.local. NS", "NoData cluster.local."},
		{"NS of nothing", "absent.cluster.local. NS", "NXDomain cluster.local."},
		{"out of zone", "www.example.com. A", "OutOfZone"},
		{"above the apex", "local. A", "OutOfZone"},
		{"end of the name alone", "mycluster.local. A", "OutOfZone"},
	})
}

// A4: the apex of a zone exists, even if the zone is a single address that nothing has.
func TestA4ZoneOfOneAddress(t *testing.T) {
	v := viewOf(t, "cluster.local.", "1.100.51.198.in-addr.arpa.")
	run(t, v, clustertest.Snapshot(t, ""), []row{
		{"PTR", "1.100.51.198.in-addr.arpa. PTR", "NoData 1.100.51.198.in-addr.arpa."},
		{"below", "x.1.100.51.198.in-addr.arpa. PTR", "NXDomain 1.100.51.198.in-addr.arpa."},
	})
}

// The largest SOA TTL is five minutes, as in stock CoreDNS; the negative TTL is not cut.
func TestApexTTL(t *testing.T) {
	v := clusterView(t)
	v.TTL = 3600
	got := ask(t, v, clustertest.Snapshot(t, ""), "cluster.local. SOA").Records[0].(*dns.SOA)
	if got.Hdr.Ttl != 300 || got.Minttl != 3600 {
		t.Errorf("TTL %d, negative TTL %d", got.Hdr.Ttl, got.Minttl)
	}
}

// The name servers of a zone are the Services that this server is an endpoint of.
func TestNameServers(t *testing.T) {
	const ownName = "cluster.local. 5 IN NS ns.dns.cluster.local.\n"
	for _, tc := range []struct{ name, local, ns, ownAddress string }{
		{"endpoint of a ClusterIP service", "10.0.0.2", `
			cluster.local. 5 IN NS kube-dns.kube-system.svc.cluster.local.
			+ kube-dns.kube-system.svc.cluster.local. 5 IN A 10.3.0.10
			+ kube-dns.kube-system.svc.cluster.local. 5 IN AAAA 2001:db8::10`, `
			ns.dns.cluster.local. 5 IN A 10.3.0.10`},
		{"two addresses of it", "10.0.0.2,10.0.0.3", `
			cluster.local. 5 IN NS kube-dns.kube-system.svc.cluster.local.
			+ kube-dns.kube-system.svc.cluster.local. 5 IN A 10.3.0.10
			+ kube-dns.kube-system.svc.cluster.local. 5 IN AAAA 2001:db8::10`, `
			ns.dns.cluster.local. 5 IN A 10.3.0.10`},
		// As in stock CoreDNS, the others of its slice are name servers too.
		{"endpoint of a headless service", "10.0.0.4", `
			cluster.local. 5 IN NS ns-a.direct.kube-system.svc.cluster.local.
			cluster.local. 5 IN NS 10-0-0-5.direct.kube-system.svc.cluster.local.
			+ ns-a.direct.kube-system.svc.cluster.local. 5 IN A 10.0.0.4
			+ 10-0-0-5.direct.kube-system.svc.cluster.local. 5 IN A 10.0.0.5`, `
			ns.dns.cluster.local. 5 IN A 10.0.0.4
			ns.dns.cluster.local. 5 IN A 10.0.0.5`},
		{"endpoint of two services", "10.0.0.5", `
			cluster.local. 5 IN NS 10-0-0-5.both.kube-system.svc.cluster.local.
			cluster.local. 5 IN NS ns-a.direct.kube-system.svc.cluster.local.
			cluster.local. 5 IN NS 10-0-0-5.direct.kube-system.svc.cluster.local.
			+ 10-0-0-5.both.kube-system.svc.cluster.local. 5 IN A 10.0.0.5
			+ ns-a.direct.kube-system.svc.cluster.local. 5 IN A 10.0.0.4
			+ 10-0-0-5.direct.kube-system.svc.cluster.local. 5 IN A 10.0.0.5`, `
			ns.dns.cluster.local. 5 IN A 10.0.0.5
			ns.dns.cluster.local. 5 IN A 10.0.0.4`},
		{"endpoint of nothing", "10.0.0.9,2001:db8::9", ownName + `
			+ ns.dns.cluster.local. 5 IN A 10.0.0.9
			+ ns.dns.cluster.local. 5 IN AAAA 2001:db8::9`, `
			ns.dns.cluster.local. 5 IN A 10.0.0.9`},
		{"ClusterIP is no endpoint", "10.3.0.10", ownName + `
			+ ns.dns.cluster.local. 5 IN A 10.3.0.10`, `
			ns.dns.cluster.local. 5 IN A 10.3.0.10`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := clusterView(t)
			v.Local = clustertest.Addrs(t, tc.local)
			run(t, v, clustertest.Snapshot(t, apexCluster), []row{
				{"NS", "cluster.local. NS", "Success\n" + tc.ns},
				{"own name", "ns.dns.cluster.local. A", "Success\n" + tc.ownAddress},
				{"own name, ANY", "ns.dns.cluster.local. ANY", "Success\n" + tc.ownAddress},
				{"own name, TXT", "ns.dns.cluster.local. TXT", "NoData cluster.local."},
				{"own name, SRV", "ns.dns.cluster.local. SRV", "NoData cluster.local."},
			})
		})
	}
}

// D8: resolvers compare the letter case of an answer with that of their question (0x20), so
// owners have the question's spelling, and so has the origin within other names.
func TestD8LetterCase(t *testing.T) {
	v := clusterView(t)
	v.Local = clustertest.Addrs(t, "10.0.0.4")
	run(t, v, clustertest.Snapshot(t, apexCluster), []row{
		{"NS", "ClUsTeR.local. NS", `
			Success
			@ NS ns-a.direct.kube-system.svc.ClUsTeR.local.
			@ NS 10-0-0-5.direct.kube-system.svc.ClUsTeR.local.
			+ ns-a.direct.kube-system.svc.ClUsTeR.local. 5 IN A 10.0.0.4
			+ 10-0-0-5.direct.kube-system.svc.ClUsTeR.local. 5 IN A 10.0.0.5`},
		{"own name", "Ns.DNS.cluster.LOCAL. A", `
			Success
			@ A 10.0.0.4
			@ A 10.0.0.5`},
		{"schema version", "DNS-Version.cluster.local. TXT", `
			Success
			DNS-Version.cluster.local. 28800 IN TXT "1.1.0"`},
		{"SRV", "_DNS._UDP.Direct.Kube-System.SVC.CLUSTER.local. SRV", `
			Success
			@ SRV 0 33 53 ns-a.direct.kube-system.svc.CLUSTER.local.
			@ SRV 0 33 53 10-0-0-5.direct.kube-system.svc.CLUSTER.local.
			@ SRV 0 33 53 10-0-0-6.direct.kube-system.svc.CLUSTER.local.
			+ ns-a.direct.kube-system.svc.CLUSTER.local. 5 IN A 10.0.0.4
			+ 10-0-0-5.direct.kube-system.svc.CLUSTER.local. 5 IN A 10.0.0.5
			+ 10-0-0-6.direct.kube-system.svc.CLUSTER.local. 5 IN A 10.0.0.6`},
		// A PTR record leads into another zone, whose name is not in the question.
		{"PTR", "10.0.3.10.IN-ADDR.arpa. PTR", `
			Success
			@ PTR kube-dns.kube-system.svc.cluster.local.`},
		{"NXDOMAIN", "Absent.Cluster.Local. A", "NXDomain Cluster.Local."},
		{"NODATA", "SVC.Cluster.Local. A", "NoData Cluster.Local."},
	})
}

// Before the first sync the answer does not say whether a name exists.
func TestNotSynced(t *testing.T) {
	store := cluster.NewStore()
	txn := store.Begin()
	clustertest.Load(t, txn, apexCluster)
	txn.Commit()
	store.Checkpoint(clustertest.Serial)
	const soa = " 5 IN SOA ns.dns.Cluster.local. hostmaster.Cluster.local. 0 7200 1800 86400 5"
	for _, question := range []string{
		"Cluster.local. SOA", "Cluster.local. NS", "dns-version.Cluster.local. TXT", "absent.Cluster.local. A",
		"kube-dns.kube-system.svc.Cluster.local. A", "kube-dns.kube-system.svc.Cluster.local. SRV",
	} {
		if got, want := render(ask(t, clusterView(t), store.Load(), question)), "NotReady\nCluster.local."+soa; got != want {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", question, got, want)
		}
	}
	for _, question := range []string{"10.0.3.10.in-addr.arpa. PTR", "10.in-addr.arpa. PTR"} {
		if got := ask(t, clusterView(t), store.Load(), question); got.Result != resolve.NotReady || len(got.Authority) != 1 {
			t.Errorf("%s\n%s", question, render(got))
		}
	}
	if got := ask(t, clusterView(t), store.Load(), "www.example.com. A"); got.Result != resolve.OutOfZone {
		t.Errorf("out of zone: %s", render(got))
	}
}
