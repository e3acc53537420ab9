package external

import (
	"slices"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

func TestApex(t *testing.T) {
	s := clustertest.Snapshot(t, outsideServices)
	v := viewOf(t, "example.org.", "192.in-addr.arpa.")
	v.cluster.Local = clustertest.Addrs(t, "198.51.100.1,2001:db8::53")
	run(t, v, s, []row{
		{"SOA", "Example.org. SOA", `
			Success
			@ SOA ns1.dns.Example.org. hostmaster.dns.Example.org. 7 7200 1800 86400 5`},
		{"NS", "example.org. NS", `
			Success
			@ NS ns1.dns.example.org.
			+ ns1.dns.example.org. 5 IN A 198.51.100.1
			+ ns1.dns.example.org. 5 IN AAAA 2001:db8::53`},
		{"NS of a reverse zone", "192.in-addr.arpa. NS", `
			Success
			@ NS ns1.dns.192.in-addr.arpa.
			+ ns1.dns.192.in-addr.arpa. 5 IN A 198.51.100.1
			+ ns1.dns.192.in-addr.arpa. 5 IN AAAA 2001:db8::53`},
		{"other type", "example.org. A", "NoData example.org."},
		{"apex label", "dns.example.org. NS", "NoData example.org."},
		{"name server", "NS1.dns.example.org. A", `
			Success
			@ A 198.51.100.1`},
		{"name server, other type", "ns1.dns.example.org. SRV", "NoData example.org."},
		{"no such server", "ns2.dns.example.org. A", "NXDomain example.org."},
		{"below the server", "x.ns1.dns.example.org. A", "NXDomain example.org."},
	})
}

// The name server has the external addresses of the Services that it is an endpoint of,
// even if there are none: a Pod's address is useless outside.
func TestServers(t *testing.T) {
	s := clustertest.Snapshot(t, outsideServices+"slice default/web a dns/udp/53 10.0.0.9\nslice default/web b dns/udp/53 10.0.0.8")
	for _, tc := range []struct {
		local    string
		headless bool
		want     string
	}{
		{"10.0.0.9,10.0.0.8", false, "192.0.2.1 2001:db8::1 192.0.2.2"},
		{"10.0.0.1", true, ""},
		{"10.0.0.3", false, ""},
		{"10.0.0.3", true, "10.0.0.3 10.0.0.4 2001:db8::4"},
		{"10.3.0.1", true, "10.3.0.1"},
	} {
		v := viewOf(t, "example.org.")
		v.headless, v.cluster.Local = tc.headless, clustertest.Addrs(t, tc.local)
		var got []string
		for _, a := range v.servers(s, 100) {
			got = append(got, a.String())
		}
		if strings.Join(got, " ") != tc.want {
			t.Errorf("%s: got %v, want %s", tc.local, got, tc.want)
		}
	}
}

// An apex of two labels has an empty non-terminal between them.
func TestApexLabels(t *testing.T) {
	v := viewOf(t, "example.org.")
	v.apex, _ = dnsname.Parse("X.Default")
	run(t, v, clustertest.Snapshot(t, outsideServices), []row{
		{"SOA", "example.org. SOA", `
			Success
			@ SOA ns1.X.Default.example.org. hostmaster.X.Default.example.org. 7 7200 1800 86400 5`},
		{"between", "default.example.org. A", `
			NoData
			example.org. 5 IN SOA ns1.X.Default.example.org. hostmaster.X.Default.example.org. 7 7200 1800 86400 5`},
		{"beside", "portless.default.example.org. A", `
			Success
			@ A 192.0.2.3`},
	})
}

func TestPointers(t *testing.T) {
	v := viewOf(t, "2.0.192.in-addr.arpa.", "ip6.arpa.", "Example.org.", "3.2.0.192.in-addr.arpa.")
	v.cluster.Namespaces = map[string]struct{}{"default": {}, "absent": {}}
	const nibbles = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa."
	run(t, v, clustertest.Snapshot(t, outsideServices), []row{
		{"IPv4", "2.2.0.192.In-Addr.arpa. PTR", `
			Success
			@ PTR web.default.example.org.`},
		{"IPv6", "1." + nibbles + " PTR", `
			Success
			1.` + nibbles + ` 5 IN PTR web.default.example.org.`},
		{"apex that is an address", "3.2.0.192.in-addr.arpa. PTR", `
			Success
			@ PTR portless.default.example.org.`},
		{"other type", "2.2.0.192.in-addr.arpa. A", "NoData 2.0.192.in-addr.arpa."},
		{"above addresses", nibbles + " PTR", "NoData ip6.arpa."},
		{"nobody's", "99.2.0.192.in-addr.arpa. PTR", "NXDomain 2.0.192.in-addr.arpa."},
		{"forward name", "web.default.example.org. PTR", "NoData example.org."},
		{"a Namespace that is not shown has no part", "1.2.0.192.in-addr.arpa. PTR", `
			Success
			@ PTR web.default.example.org.`},
	})
	v.cluster.Namespaces = nil
	run(t, v, clustertest.Snapshot(t, outsideServices), []row{
		{"shared address", "1.2.0.192.in-addr.arpa. PTR", `
			Success
			@ PTR web.default.example.org.
			@ PTR secret.hidden.example.org.`},
	})
}

func TestRoot(t *testing.T) {
	v := viewOf(t, ".")
	run(t, v, clustertest.Snapshot(t, outsideServices), []row{
		{"Service", "portless.default. A", `
			Success
			@ A 192.0.2.3`},
		{"reverse name", "3.2.0.192.in-addr.arpa. PTR", `
			Success
			@ PTR portless.default.`},
		{"above reverse names", "arpa. A", "NoData\n. 5 IN SOA ns1.dns. hostmaster.dns. 7 7200 1800 86400 5"},
		{"NS", ". NS", "Success\n. 5 IN NS ns1.dns."},
	})
}

// D22: before the first sync no name is denied.
func TestD22NotReady(t *testing.T) {
	v := viewOf(t, "example.org.", "in-addr.arpa.")
	for _, question := range []string{"web.default.example.org. A", "example.org. SOA", "ns1.dns.example.org. A", "1.2.0.192.in-addr.arpa. PTR"} {
		a := lookup(t, v, new(cluster.Snapshot), question)
		if a.Result != resolve.NotReady || len(a.Authority) != 1 || len(a.Records) != 0 {
			t.Errorf("%s: got %s", question, render(a))
		}
	}
}

// D22: all records have the same TTL, the SOA record too, whose TTL is not capped.
func TestD22TTL(t *testing.T) {
	v := viewOf(t, "example.org.", "in-addr.arpa.")
	v.zones.TTL, v.headless, v.cluster.Local = 3600, true, clustertest.Addrs(t, "192.0.2.53")
	s := clustertest.Snapshot(t, outsideServices)
	for _, question := range []string{
		"web.default.example.org. SRV", "lb.default.example.org. A", "lb.default.example.org. SRV", "db.default.example.org. SRV",
		"1.2.0.192.in-addr.arpa. PTR", "example.org. SOA", "example.org. NS", "x.example.org. A",
	} {
		a := lookup(t, v, s, question)
		for _, rr := range slices.Concat(a.Records, a.Authority, a.Extra) {
			if rr.Header().Ttl != 3600 {
				t.Errorf("%s: %s", question, rr)
			}
		}
	}
}
