package answer

import (
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// The tests named Spec follow the sections of the Kubernetes DNS specification
// 1.1.0. Its TTLs, priorities and weights are examples only.

const specServices = `
	namespace default
	clusterip default/kubernetes 10.3.0.1 https/tcp/443
	clusterip default/six 2001:db8::1 https/tcp/443
	clusterip default/dual 10.3.0.2,2001:db8::2 https/tcp/443 dns/udp/53 dns-tcp/tcp/53
	clusterip default/unnamed 10.3.0.3 /tcp/80
	clusterip default/portless 10.3.0.4
	clusterip default/1st 10.3.0.5 http/tcp/80
	clusterip default/pending -
`

func TestSpec_2_2_SchemaVersion(t *testing.T) {
	run(t, clusterView(t), clustertest.Snapshot(t, specServices), []row{
		{"text", "dns-version.cluster.local. TXT", `
			Success
			dns-version.cluster.local. 28800 IN TXT "1.1.0"`},
		{"any type", "dns-version.cluster.local. ANY", `
			Success
			dns-version.cluster.local. 28800 IN TXT "1.1.0"`},
		{"other type", "dns-version.cluster.local. A", "NoData cluster.local."},
		{"below", "x.dns-version.cluster.local. TXT", "NXDomain cluster.local."},
	})
}

func TestSpec_2_3_1_ServiceAddresses(t *testing.T) {
	run(t, clusterView(t), clustertest.Snapshot(t, specServices), []row{
		{"IPv4", "kubernetes.default.svc.cluster.local. A", `
			Success
			@ A 10.3.0.1`},
		{"IPv4, other family", "kubernetes.default.svc.cluster.local. AAAA", "NoData cluster.local."},
		{"IPv6", "six.default.svc.cluster.local. AAAA", `
			Success
			@ AAAA 2001:db8::1`},
		{"IPv6, other family", "six.default.svc.cluster.local. A", "NoData cluster.local."},
		{"dual-stack, IPv4", "dual.default.svc.cluster.local. A", `
			Success
			@ A 10.3.0.2`},
		{"dual-stack, IPv6", "dual.default.svc.cluster.local. AAAA", `
			Success
			@ AAAA 2001:db8::2`},
		{"case of the question", "KuberNetes.DEFAULT.svc.Cluster.Local. A", `
			Success
			@ A 10.3.0.1`},
		{"name that starts with a digit", "1st.default.svc.cluster.local. A", `
			Success
			@ A 10.3.0.5`},
		{"no ports", "portless.default.svc.cluster.local. A", `
			Success
			@ A 10.3.0.4`},
		{"no address yet", "pending.default.svc.cluster.local. A", "NoData cluster.local."},
		{"other types", "kubernetes.default.svc.cluster.local. TXT", "NoData cluster.local."},
		{"no such service", "absent.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"no such namespace", "kubernetes.absent.svc.cluster.local. A", "NXDomain cluster.local."},
	})
}

func TestSpec_2_3_2_ServicePorts(t *testing.T) {
	run(t, clusterView(t), clustertest.Snapshot(t, specServices), []row{
		{"named port", "_https._tcp.kubernetes.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 100 443 kubernetes.default.svc.cluster.local.
			+ kubernetes.default.svc.cluster.local. 5 IN A 10.3.0.1`},
		// A pair of address and port each, of both families, shares the hundred.
		{"dual-stack", "_https._tcp.dual.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 50 443 dual.default.svc.cluster.local.
			+ dual.default.svc.cluster.local. 5 IN A 10.3.0.2
			+ dual.default.svc.cluster.local. 5 IN AAAA 2001:db8::2`},
		{"every port, at the service itself", "dual.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 16 443 dual.default.svc.cluster.local.
			@ SRV 0 16 53 dual.default.svc.cluster.local.
			+ @ A 10.3.0.2
			+ @ AAAA 2001:db8::2`},
		{"case of the question", "_HTTPS._Tcp.Kubernetes.Default.SVC.Cluster.LOCAL. SRV", `
			Success
			@ SRV 0 100 443 kubernetes.default.svc.Cluster.LOCAL.
			+ kubernetes.default.svc.Cluster.LOCAL. 5 IN A 10.3.0.1`},
		{"without underscores", "https.tcp.kubernetes.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 100 443 kubernetes.default.svc.cluster.local.
			+ kubernetes.default.svc.cluster.local. 5 IN A 10.3.0.1`},
		{"address of a port", "_https._tcp.kubernetes.default.svc.cluster.local. A", `
			Success
			@ A 10.3.0.1`},
		{"the port's protocol counts", "_dns._tcp.dual.default.svc.cluster.local. SRV", "NXDomain cluster.local."},
		{"no such port", "_http._tcp.kubernetes.default.svc.cluster.local. SRV", "NXDomain cluster.local."},
		{"no such protocol", "_https._sctp.kubernetes.default.svc.cluster.local. SRV", "NXDomain cluster.local."},
		{"one label too many", "x._https._tcp.kubernetes.default.svc.cluster.local. SRV", "NXDomain cluster.local."},
		{"unnamed port, its protocol", "_tcp.unnamed.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"unnamed port, its number", "_80._tcp.unnamed.default.svc.cluster.local. SRV", "NXDomain cluster.local."},
		// Stock CoreDNS answers here too; the specification allows more records.
		{"unnamed port, at the service itself", "unnamed.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 100 80 unnamed.default.svc.cluster.local.
			+ @ A 10.3.0.3`},
		{"no ports", "portless.default.svc.cluster.local. SRV", "NoData cluster.local."},
		{"one underscore is taken off", "__https._tcp.kubernetes.default.svc.cluster.local. SRV", "NXDomain cluster.local."},
		{"asterisk", "*.*.dual.default.svc.cluster.local. SRV", "NXDomain cluster.local."},
	})
}

// D26: an underscore alone is no wildcard, and unnamed ports have no name.
func TestD26UnderscoreIsNoWildcard(t *testing.T) {
	s := clustertest.Snapshot(t, specServices+"headless default/db /tcp/80 sql/tcp/1\nslice default/db a /tcp/80 sql/tcp/1 10.3.0.130")
	for _, name := range []string{
		"_._tcp.dual.default", "_https._.dual.default", "_._.dual.default", "_.dual.default", "_._tcp.unnamed.default", "_._tcp.db.default", "_sql._.db.default",
	} {
		for _, qtype := range []string{"A", "SRV", "TXT"} {
			if got := render(ask(t, clusterView(t), s, name+".svc.cluster.local. "+qtype)); got != "NXDomain cluster.local." {
				t.Errorf("%s %s: %s", name, qtype, got)
			}
		}
	}
}

func TestSpec_2_3_3_ServicePointers(t *testing.T) {
	const nibbles = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
	run(t, clusterView(t), clustertest.Snapshot(t, specServices), []row{
		{"IPv4", "1.0.3.10.in-addr.arpa. PTR", `
			Success
			@ PTR kubernetes.default.svc.cluster.local.`},
		{"IPv6", "1." + nibbles + " PTR", `
			Success
			1.` + nibbles + ` 5 IN PTR six.default.svc.cluster.local.`},
		{"dual-stack, IPv4", "2.0.3.10.in-addr.arpa. PTR", `
			Success
			@ PTR dual.default.svc.cluster.local.`},
		{"dual-stack, IPv6", "2." + nibbles + " PTR", `
			Success
			2.` + nibbles + ` 5 IN PTR dual.default.svc.cluster.local.`},
		{"case of the question", "2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.IP6.Arpa. PTR", `
			Success
			@ PTR dual.default.svc.cluster.local.`},
		{"other type", "1.0.3.10.in-addr.arpa. A", "NoData in-addr.arpa."},
		{"nobody's", "99.0.3.10.in-addr.arpa. PTR", "NXDomain in-addr.arpa."},
		{"nobody's, IPv6", "9." + nibbles + " PTR", "NXDomain ip6.arpa."},
	})
}
