package answer

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const zonalCluster = `
	namespace default
	namespace hidden
	headless default/db sql/tcp/5432
	slice default/db a sql/tcp/5432 10.0.0.1=db-0#z1 10.0.0.2#z2 10.0.0.3
	slice default/db b sql/tcp/5432 2001:db8::1=db-0#z1
	slice default/db c sql/tcp/5432 metrics/tcp/9 10.0.0.4#eu.z1
	headless default/shared sql/tcp/5432
	slice default/shared a sql/tcp/5432 10.0.0.5=h#z1 10.0.0.6=h#z2
	headless default/portless
	slice default/portless a 10.0.0.7#z1
	headless default/names pin/tcp/1 zone/tcp/2 prefer/udp/3
	slice default/names a pin/tcp/1 zone/tcp/2 prefer/udp/3 10.0.0.8=zone#pin 10.0.0.9=pin#prefer
	headless default/empty sql/tcp/5432
	slice default/empty a sql/tcp/5432
	clusterip default/web 10.3.0.1 http/tcp/80
	slice default/web a http/tcp/80 10.0.0.10#z1
	external default/alias www.example.com.
	external default/pinned z2.pin._zone.db.default.svc.cluster.local.
	headless hidden/db sql/tcp/5432
	slice hidden/db a sql/tcp/5432 10.0.0.11#z1
	imported-headless default/db sql/tcp/5432
	imported-slice east default/db a sql/tcp/5432 10.5.0.1=db-0#z1
`

// zonalView returns a view in which headless Services have names for topology zones.
func zonalView(t clustertest.T) *resolve.View {
	t.Helper()
	v := clusterSetView(t)
	v.Zonal = true
	v.Namespaces = map[string]struct{}{"default": {}}
	return v
}

func TestPinnedToTopologyZone(t *testing.T) {
	run(t, zonalView(t), clustertest.Snapshot(t, zonalCluster), []row{
		{"IPv4", "z1.pin._zone.db.default.svc.cluster.local. A", `
			Success
			@ A 10.0.0.1`},
		{"IPv6", "z1.pin._zone.db.default.svc.cluster.local. AAAA", `
			Success
			@ AAAA 2001:db8::1`},
		{"no endpoint of the family", "z2.pin._zone.db.default.svc.cluster.local. AAAA", "NoData cluster.local."},
		{"zone of two labels", "eu.z1.pin._zone.db.default.svc.cluster.local. A", `
			Success
			@ A 10.0.0.4`},
		{"a dot within a label", `eu\.z1.pin._zone.db.default.svc.cluster.local. A`, "NoData cluster.local."},
		{"part of a zone's name", "eu.pin._zone.db.default.svc.cluster.local. A", "NoData cluster.local."},
		{"case of the question", "Z1.PIN._Zone.DB.default.svc.Cluster.Local. SRV", `
			Success
			@ SRV 0 50 5432 db-0.db.default.svc.Cluster.Local.
			+ db-0.db.default.svc.Cluster.Local. 5 IN A 10.0.0.1
			+ db-0.db.default.svc.Cluster.Local. 5 IN AAAA 2001:db8::1`},
		{"SRV, every port", "eu.z1.pin._zone.db.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 50 5432 10-0-0-4.db.default.svc.cluster.local.
			@ SRV 0 50 9 10-0-0-4.db.default.svc.cluster.local.
			+ 10-0-0-4.db.default.svc.cluster.local. 5 IN A 10.0.0.4`},
		// The other address of the target is in another zone.
		{"SRV, hostname shared between zones", "z1.pin._zone.shared.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 100 5432 h.shared.default.svc.cluster.local.
			+ h.shared.default.svc.cluster.local. 5 IN A 10.0.0.5`},
		{"no ports, address", "z1.pin._zone.portless.default.svc.cluster.local. A", `
			Success
			@ A 10.0.0.7`},
		{"no ports, SRV", "z1.pin._zone.portless.default.svc.cluster.local. SRV", "NoData cluster.local."},
		{"ANY", "z2.pin._zone.db.default.svc.cluster.local. ANY", `
			Success
			@ A 10.0.0.2`},
		{"alias", "pinned.default.svc.cluster.local. A", `
			Success
			@ CNAME z2.pin._zone.db.default.svc.cluster.local.
			z2.pin._zone.db.default.svc.cluster.local. 5 IN A 10.0.0.2`},
		{"zone named after a directive", "pin.pin._zone.names.default.svc.cluster.local. A", `
			Success
			@ A 10.0.0.8`},
	})
}

// An endpoint that does not tell its zone is in none, whatever the name says.
func TestPinnedToNothing(t *testing.T) {
	s := clustertest.Snapshot(t, zonalCluster)
	for _, name := range []string{"z3", "nowhere.at.all", "_", "*", "10-0-0-3", `\.`, `\000`, "pin", "_zone"} {
		qname := name + ".pin._zone.db.default.svc.cluster.local."
		for qtype := range uint16(261) {
			if got := askType(t, zonalView(t), s, qname, qtype); got.Result != resolve.NoData {
				t.Errorf("%s %s: %s", qname, dns.Type(qtype), render(got))
			}
		}
	}
}

func TestPreferredTopologyZone(t *testing.T) {
	run(t, zonalView(t), clustertest.Snapshot(t, zonalCluster), []row{
		{"zone with endpoints", "z2.prefer._zone.db.default.svc.cluster.local. A", `
			Success
			@ A 10.0.0.2`},
		// The zone has an endpoint, so the others do not count for any family.
		{"no endpoint of the family", "z2.prefer._zone.db.default.svc.cluster.local. AAAA", "NoData cluster.local."},
		{"zone without endpoints", "z3.prefer._zone.db.default.svc.cluster.local. A", `
			Success
			@ A 10.0.0.1
			@ A 10.0.0.2
			@ A 10.0.0.3
			@ A 10.0.0.4`},
		{"zone without endpoints, IPv6", "z3.prefer._zone.db.default.svc.cluster.local. AAAA", `
			Success
			@ AAAA 2001:db8::1`},
		{"zone of two labels", "eu.z1.prefer._zone.db.default.svc.cluster.local. A", `
			Success
			@ A 10.0.0.4`},
		{"SRV", "z2.prefer._zone.shared.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 100 5432 h.shared.default.svc.cluster.local.
			+ h.shared.default.svc.cluster.local. 5 IN A 10.0.0.6`},
		{"SRV, zone without endpoints", "z3.prefer._zone.shared.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 50 5432 h.shared.default.svc.cluster.local.
			+ h.shared.default.svc.cluster.local. 5 IN A 10.0.0.5
			+ h.shared.default.svc.cluster.local. 5 IN A 10.0.0.6`},
		{"no ports, zone without endpoints", "z3.prefer._zone.portless.default.svc.cluster.local. A", `
			Success
			@ A 10.0.0.7`},
		{"no ports, SRV", "z3.prefer._zone.portless.default.svc.cluster.local. SRV", "NoData cluster.local."},
		{"other types", "z3.prefer._zone.db.default.svc.cluster.local. TXT", "NoData cluster.local."},
	})
}

// Where names for topology zones exist, and where the label means nothing.
func TestZonalNames(t *testing.T) {
	const svc = ".default.svc.cluster.local."
	s := clustertest.Snapshot(t, zonalCluster)
	names := map[string]bool{
		"_zone.db" + svc: true, "pin._zone.db" + svc: true, "prefer._zone.db" + svc: true, "_zone.portless" + svc: true,
		"z1.pin._zone.db" + svc: true, "a.b.c.d.e.prefer._zone.db" + svc: true,
	}
	checkExistence(t, zonalView(t), s, names)
	for name := range names {
		names[name] = false
	}
	v := zonalView(t)
	v.Zonal = false
	checkExistence(t, v, s, names)
	for _, service := range []string{
		"web" + svc, "alias" + svc, "empty" + svc, "absent" + svc, "db.hidden.svc.cluster.local.", "db.absent.svc.cluster.local.",
		"db.default.svc.clusterset.local.", "10-0-0-1.default.pod.cluster.local.", "dns-version.cluster.local.", "1.0.0.10.in-addr.arpa.",
	} {
		for _, prefix := range []string{"_zone.", "pin._zone.", "z1.pin._zone.", "a.z1.prefer._zone."} {
			checkExistence(t, zonalView(t), s, map[string]bool{prefix + service: false})
		}
	}
	checkExistence(t, zonalView(t), s, map[string]bool{
		"z1._zone.db" + svc: false, "z1.near._zone.db" + svc: false, "z1._pin._zone.db" + svc: false, "_pin._zone.db" + svc: false,
		"pin.zone.db" + svc: false, "z1.pin.zone.db" + svc: false, "zone.db" + svc: false, "pin.db" + svc: false,
		"z1.pin._zone.db-0.db" + svc: false, "_sql._tcp.z1.pin._zone.db" + svc: true, "z1.pin._zone.default.svc.cluster.local.": false,
	})
}

// Ports and endpoints that have the names of labels of ours keep their own.
func TestZonalNamesOfOthers(t *testing.T) {
	for _, zonal := range []bool{true, false} {
		v := zonalView(t)
		v.Zonal = zonal
		run(t, v, clustertest.Snapshot(t, zonalCluster), []row{
			{"port pin", "_pin._tcp.names.default.svc.cluster.local. A", `
				Success
				@ A 10.0.0.8
				@ A 10.0.0.9`},
			{"port zone", "_zone._tcp.names.default.svc.cluster.local. SRV", `
				Success
				@ SRV 0 50 2 zone.names.default.svc.cluster.local.
				@ SRV 0 50 2 pin.names.default.svc.cluster.local.
				+ zone.names.default.svc.cluster.local. 5 IN A 10.0.0.8
				+ pin.names.default.svc.cluster.local. 5 IN A 10.0.0.9`},
			{"port prefer, bare", "prefer.udp.names.default.svc.cluster.local. A", `
				Success
				@ A 10.0.0.8
				@ A 10.0.0.9`},
			{"endpoint zone", "zone.names.default.svc.cluster.local. A", `
				Success
				@ A 10.0.0.8`},
			{"endpoint pin", "pin.names.default.svc.cluster.local. A", `
				Success
				@ A 10.0.0.9`},
		})
	}
}
