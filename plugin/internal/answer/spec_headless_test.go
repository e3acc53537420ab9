package answer

import (
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// The slices come first: nothing says that a Service is heard of before them.
const specHeadless = `
	namespace default
	slice default/headless a https/tcp/443 10.3.0.100=My-Pet 10.3.0.101=my-pet-2
	slice default/headless b https/tcp/443 metrics/udp/9 10.3.0.102
	slice default/headless c https/tcp/443 2001:db8::1=my-pet
	headless default/headless https/tcp/443
	headless default/empty https/tcp/443
	headless default/unready https/tcp/443
	slice default/unready a https/tcp/443
	headless default/four https/tcp/443
	slice default/four a https/tcp/443 10.3.0.110
	headless default/portless
	slice default/portless a 10.3.0.120
	headless default/unnamed /tcp/80
	slice default/unnamed a /tcp/80 10.3.0.130
	slice default/orphan a https/tcp/443 10.3.0.140
`

func TestSpec_2_4_1_HeadlessAddresses(t *testing.T) {
	run(t, clusterView(t), clustertest.Snapshot(t, specHeadless), []row{
		{"IPv4, several slices", "headless.default.svc.cluster.local. A", `
			Success
			@ A 10.3.0.100
			@ A 10.3.0.101
			@ A 10.3.0.102`},
		{"IPv6", "headless.default.svc.cluster.local. AAAA", `
			Success
			@ AAAA 2001:db8::1`},
		{"no slice", "empty.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"no slice, IPv6", "empty.default.svc.cluster.local. AAAA", "NXDomain cluster.local."},
		{"no slice, its ports", "_https._tcp.empty.default.svc.cluster.local. SRV", "NXDomain cluster.local."},
		{"no ready endpoint", "unready.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"no ready endpoint, its ports", "_tcp.unready.default.svc.cluster.local. A", "NXDomain cluster.local."},
		// The rule is meant for endpoints of any family: else AAAA would deny the name.
		{"no endpoint of the family", "four.default.svc.cluster.local. AAAA", "NoData cluster.local."},
		{"no ports", "portless.default.svc.cluster.local. A", `
			Success
			@ A 10.3.0.120`},
		{"slices of no service", "orphan.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"hostname", "my-pet-2.headless.default.svc.cluster.local. A", `
			Success
			@ A 10.3.0.101`},
		{"hostname, case of cluster and question", "MY-pet.headless.default.svc.cluster.LOCAL. A", `
			Success
			@ A 10.3.0.100`},
		{"hostname, IPv6, of another slice", "my-pet.headless.default.svc.cluster.local. AAAA", `
			Success
			@ AAAA 2001:db8::1`},
		{"hostname, other family", "my-pet-2.headless.default.svc.cluster.local. AAAA", "NoData cluster.local."},
		{"identifier", "10-3-0-102.headless.default.svc.cluster.local. A", `
			Success
			@ A 10.3.0.102`},
		{"no identifier beside a hostname", "10-3-0-101.headless.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"identifier of another service", "10-3-0-102.four.default.svc.cluster.local. A", "NXDomain cluster.local."},
	})
}

func TestSpec_2_4_2_HeadlessPorts(t *testing.T) {
	run(t, clusterView(t), clustertest.Snapshot(t, specHeadless), []row{
		// Four pairs of address and port, of which two share target and port.
		{"every endpoint", "_https._tcp.headless.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 25 443 my-pet.headless.default.svc.cluster.local.
			@ SRV 0 25 443 my-pet-2.headless.default.svc.cluster.local.
			@ SRV 0 25 443 10-3-0-102.headless.default.svc.cluster.local.
			+ my-pet.headless.default.svc.cluster.local. 5 IN A 10.3.0.100
			+ my-pet-2.headless.default.svc.cluster.local. 5 IN A 10.3.0.101
			+ 10-3-0-102.headless.default.svc.cluster.local. 5 IN A 10.3.0.102
			+ my-pet.headless.default.svc.cluster.local. 5 IN AAAA 2001:db8::1`},
		{"port of one slice", "_metrics._udp.headless.default.svc.cluster.LOCAL. SRV", `
			Success
			@ SRV 0 100 9 10-3-0-102.headless.default.svc.cluster.LOCAL.
			+ 10-3-0-102.headless.default.svc.cluster.LOCAL. 5 IN A 10.3.0.102`},
		{"port of one slice, addresses", "_metrics._udp.headless.default.svc.cluster.local. A", `
			Success
			@ A 10.3.0.102`},
		{"port of one slice, other family", "_metrics._udp.headless.default.svc.cluster.local. AAAA", "NoData cluster.local."},
		{"one endpoint, every port", "10-3-0-102.headless.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 50 443 10-3-0-102.headless.default.svc.cluster.local.
			@ SRV 0 50 9 10-3-0-102.headless.default.svc.cluster.local.
			+ @ A 10.3.0.102`},
		{"no such port", "_http._tcp.headless.default.svc.cluster.local. SRV", "NXDomain cluster.local."},
		{"unnamed port, at the service itself", "unnamed.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 100 80 10-3-0-130.unnamed.default.svc.cluster.local.
			+ 10-3-0-130.unnamed.default.svc.cluster.local. 5 IN A 10.3.0.130`},
		{"no ports", "portless.default.svc.cluster.local. SRV", "NoData cluster.local."},
		{"no ports, one endpoint", "10-3-0-120.portless.default.svc.cluster.local. SRV", "NoData cluster.local."},
	})
}

func TestSpec_2_4_3_HeadlessPointers(t *testing.T) {
	const nibbles = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
	run(t, clusterView(t), clustertest.Snapshot(t, specHeadless), []row{
		{"IPv4", "100.0.3.10.in-addr.arpa. PTR", `
			Success
			@ PTR my-pet.headless.default.svc.cluster.local.`},
		{"identifier", "102.0.3.10.in-addr.arpa. PTR", `
			Success
			@ PTR 10-3-0-102.headless.default.svc.cluster.local.`},
		{"IPv6", nibbles + " PTR", `
			Success
			` + nibbles + ` 5 IN PTR my-pet.headless.default.svc.cluster.local.`},
		{"slices of no service", "140.0.3.10.in-addr.arpa. PTR", "NXDomain in-addr.arpa."},
	})
}
