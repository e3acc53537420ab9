package answer

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const namesCluster = `
	namespace default
	namespace empty
	clusterip default/web 10.3.0.1,2001:db8::1 http/tcp/80
	slice default/web a http/tcp/8080 10.0.0.1=Web-0 10.0.0.2 2001:db8::
	slice default/web b http/tcp/8080 10.0.0.3=web-0
	headless default/db sql/tcp/5432
	slice default/db a sql/tcp/5432 ::1 10.0.0.4
	clusterip hidden/web 10.3.0.2
`

// D6: names that exist because names below them do (RFC 8020), and names that do not exist.
func TestD6EmptyNonTerminals(t *testing.T) {
	const ip6 = "8.b.d.0.1.0.0.2.ip6.arpa."
	v := clusterView(t)
	v.Pods = resolve.PodsInsecure
	run(t, v, clustertest.Snapshot(t, namesCluster), []row{
		{"svc", "svc.cluster.local. A", "NoData cluster.local."},
		{"pod", "pod.cluster.local. A", "NoData cluster.local."},
		{"dns", "dns.cluster.local. A", "NoData cluster.local."},
		{"another first label", "x.cluster.local. A", "NXDomain cluster.local."},
		{"below dns", "x.dns.cluster.local. A", "NXDomain cluster.local."},
		{"below ns.dns", "x.ns.dns.cluster.local. A", "NXDomain cluster.local."},
		{"namespace", "default.svc.cluster.local. SRV", "NoData cluster.local."},
		{"namespace without services", "empty.svc.cluster.local. A", "NoData cluster.local."},
		{"namespace of pods", "empty.pod.cluster.local. A", "NoData cluster.local."},
		{"service in a namespace not heard of", "hidden.svc.cluster.local. A", "NXDomain cluster.local."},
		{"protocol", "_tcp.web.default.svc.cluster.local. A", "NoData cluster.local."},
		{"protocol without underscore", "tcp.web.default.svc.cluster.local. A", "NoData cluster.local."},
		{"protocol of a headless service", "_TCP.db.default.svc.cluster.local. SRV", "NoData cluster.local."},
		{"protocol that no port has", "_udp.web.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"reverse zone", "in-addr.arpa. PTR", "NoData in-addr.arpa."},
		{"one octet", "10.in-addr.arpa. PTR", "NoData in-addr.arpa."},
		{"three octets", "0.3.10.in-addr.arpa. PTR", "NoData in-addr.arpa."},
		{"one octet of nobody", "11.in-addr.arpa. PTR", "NXDomain in-addr.arpa."},
		{"three octets of nobody", "1.3.10.in-addr.arpa. PTR", "NXDomain in-addr.arpa."},
		{"five octets", "1.1.0.3.10.in-addr.arpa. PTR", "NXDomain in-addr.arpa."},
		{"no octet", "256.in-addr.arpa. PTR", "NXDomain in-addr.arpa."},
		{"octet with a zero in front", "010.in-addr.arpa. PTR", "NXDomain in-addr.arpa."},
		{"octet with a sign", "+10.in-addr.arpa. PTR", "NXDomain in-addr.arpa."},
		{"eight nibbles", ip6 + " PTR", "NoData ip6.arpa."},
		{"nine nibbles", "0." + ip6 + " PTR", "NoData ip6.arpa."},
		{"nine nibbles of nobody", "1." + ip6 + " PTR", "NXDomain ip6.arpa."},
		{"no nibble", "00." + ip6 + " PTR", "NXDomain ip6.arpa."},
		{"nor this", "g." + ip6 + " PTR", "NXDomain ip6.arpa."},
	})
}

func TestEndpointNames(t *testing.T) {
	run(t, clusterView(t), clustertest.Snapshot(t, namesCluster), []row{
		{"hostname shared between slices", "web-0.web.default.svc.cluster.local. A", `
			Success
			@ A 10.0.0.1
			@ A 10.0.0.3`},
		{"SRV of a shared hostname", "web-0.web.default.svc.cluster.local. SRV", `
			Success
			@ SRV 0 50 8080 web-0.web.default.svc.cluster.local.
			+ @ A 10.0.0.1
			+ @ A 10.0.0.3`},
		{"address of a ClusterIP service", "10-0-0-2.web.default.svc.cluster.local. A", `
			Success
			@ A 10.0.0.2`},
		{"IPv6 that ends in zeros", "2001-DB8--0.web.default.svc.cluster.local. AAAA", `
			Success
			@ AAAA 2001:db8::`},
		{"IPv6 that begins with zeros", "--1.db.default.svc.cluster.local. AAAA", `
			Success
			@ AAAA ::1`},
		// A label identifies an endpoint in one spelling only.
		{"another spelling", "0--1.db.default.svc.cluster.local. AAAA", "NXDomain cluster.local."},
		{"ends in a dash", "2001-db8--.web.default.svc.cluster.local. AAAA", "NXDomain cluster.local."},
		{"dots within a label", `10\.0\.0\.2.web.default.svc.cluster.local. A`, "NXDomain cluster.local."},
		{"ClusterIP is no endpoint", "10-3-0-1.web.default.svc.cluster.local. A", "NXDomain cluster.local."},
		{"pointer", "2.0.0.10.in-addr.arpa. PTR", `
			Success
			@ PTR 10-0-0-2.web.default.svc.cluster.local.`},
	})
}

// With PodNames an endpoint without a hostname is named after its Pod, if that
// name can be a label.
func TestPodNames(t *testing.T) {
	const longest = "a23456789-123456789-123456789-123456789-123456789-123456789-123"
	const long = longest + "4"
	s := clustertest.Snapshot(t, `
		namespace default
		headless default/db sql/tcp/5432
		slice default/db a sql/tcp/5432 10.0.0.1@db-0 10.0.0.2@db-1=own 10.0.0.3@`+longest+`
		slice default/db b sql/tcp/5432 10.0.0.4@`+long+` 10.0.0.5@do.t 10.0.0.6@10-0-0-6
	`)
	const below = ".db.default.svc.cluster.local."
	for _, tc := range []struct {
		label   string
		on, off string
	}{
		{"db-0", "10.0.0.1", ""},
		{"10-0-0-1", "", "10.0.0.1"},
		{"own", "10.0.0.2", "10.0.0.2"},
		{"db-1", "", ""},
		{longest, "10.0.0.3", ""},
		{"10-0-0-3", "", "10.0.0.3"},
		{"10-0-0-4", "10.0.0.4", "10.0.0.4"},
		{`do\.t`, "", ""},
		{"10-0-0-5", "10.0.0.5", "10.0.0.5"},
		{"10-0-0-6", "10.0.0.6", "10.0.0.6"},
	} {
		for podNames, want := range map[bool]string{true: tc.on, false: tc.off} {
			v := clusterView(t)
			v.PodNames = podNames
			wantText := "NXDomain cluster.local."
			if want != "" {
				wantText = "Success\n" + tc.label + below + " 5 IN A " + want
			}
			if got := render(ask(t, v, s, tc.label+below+" A")); got != wantText {
				t.Errorf("%s, pod names %v:\n%s", tc.label, podNames, got)
			}
			checkPointers(t, v, s)
		}
	}
}

// checkPointers follows every PTR record back to its address.
func checkPointers(t *testing.T, v *resolve.View, s *cluster.Snapshot) {
	t.Helper()
	for a := range s.EndpointAddrs().All() {
		name, err := dns.ReverseAddr(a.String())
		if err != nil {
			t.Fatal(err)
		}
		for _, rr := range ask(t, v, s, name+" PTR").Records {
			target := rr.(*dns.PTR).Ptr
			if !holds(ask(t, v, s, target+" A"), a) {
				t.Errorf("%s leads to %s, which has another address", name, target)
			}
		}
	}
}

func holds(a Answer, addr netip.Addr) bool {
	for _, rr := range a.Records {
		if a, ok := rr.(*dns.A); ok && netip.AddrFrom4([4]byte(a.A.To4())) == addr {
			return true
		}
	}
	return false
}

func TestPodsByMode(t *testing.T) {
	s := clustertest.Snapshot(t, namesCluster+`
		pod default web 10.0.0.1,2001:db8::5
		pod empty node 10.0.0.9
		pod default node 10.0.0.9
	`)
	const no = "NXDomain cluster.local."
	for _, tc := range []struct{ question, disabled, insecure, verified string }{
		{"10-0-0-1.default.pod.cluster.local. A", no, "Success", "Success"},
		{"10-0-0-1.default.pod.cluster.local. AAAA", no, "NoData cluster.local.", "NoData cluster.local."},
		{"10-0-0-1.default.pod.cluster.local. SRV", no, "NoData cluster.local.", "NoData cluster.local."},
		{"10-0-0-1.default.pod.cluster.local. ANY", no, "Success", "Success"},
		{"2001-db8--5.default.pod.cluster.local. AAAA", no, "Success", "Success"},
		{"2001-db8-0-0-0-0-0-5.default.pod.cluster.local. AAAA", no, "Success", "Success"},
		{"10-0-0-1.empty.pod.cluster.local. A", no, "Success", no},
		{"10-0-0-9.empty.pod.cluster.local. A", no, "Success", "Success"},
		{"10-0-0-7.default.pod.cluster.local. A", no, "Success", no},
		{"10-0-0-1.absent.pod.cluster.local. A", no, no, no},
		{"10-0-0-256.default.pod.cluster.local. A", no, no, no},
		{"web.default.pod.cluster.local. A", no, no, no},
		{`10\.0\.0\.1.default.pod.cluster.local. A`, no, no, no},
		{"fe80--1%eth0.default.pod.cluster.local. AAAA", no, no, no},
		{"x.10-0-0-1.default.pod.cluster.local. A", no, no, no},
		{"10-0-0-1.x.default.pod.cluster.local. A", no, no, no},
		{"default.pod.cluster.local. A", no, "NoData cluster.local.", "NoData cluster.local."},
		{"pod.cluster.local. A", "NoData cluster.local.", "NoData cluster.local.", "NoData cluster.local."},
	} {
		for mode, want := range []string{resolve.PodsDisabled: tc.disabled, resolve.PodsInsecure: tc.insecure, resolve.PodsVerified: tc.verified} {
			v := clusterView(t)
			v.Pods = resolve.PodMode(mode)
			got := ask(t, v, s, tc.question)
			got.Records = nil
			if text := render(got); text != want {
				t.Errorf("%s, mode %d: %s, want %s", tc.question, mode, text, want)
			}
		}
	}
}

// A Namespace that a view does not show is hidden in every form.
func TestNamespacesFilter(t *testing.T) {
	v := clusterView(t)
	v.Pods = resolve.PodsInsecure
	v.Namespaces = map[string]struct{}{"default": {}, "absent": {}}
	s := clustertest.Snapshot(t, namesCluster+`
		namespace hidden
		headless hidden/db sql/tcp/5432
		slice hidden/db a sql/tcp/5432 10.0.0.1 172.16.0.1
	`)
	run(t, v, s, []row{
		{"shown", "web.default.svc.cluster.local. A", `
			Success
			@ A 10.3.0.1`},
		{"shown, pods", "default.pod.cluster.local. A", "NoData cluster.local."},
		{"hidden service", "web.hidden.svc.cluster.local. A", "NXDomain cluster.local."},
		{"hidden namespace", "hidden.svc.cluster.local. A", "NXDomain cluster.local."},
		{"hidden pods", "hidden.pod.cluster.local. A", "NXDomain cluster.local."},
		{"hidden pod", "10-0-0-1.hidden.pod.cluster.local. A", "NXDomain cluster.local."},
		{"shown, but not there", "absent.svc.cluster.local. A", "NXDomain cluster.local."},
		{"pointer to a hidden service", "2.0.3.10.in-addr.arpa. PTR", "NXDomain in-addr.arpa."},
		{"pointer to a hidden endpoint", "1.0.16.172.in-addr.arpa. PTR", "NXDomain in-addr.arpa."},
		{"pointers to a shown endpoint and a hidden one", "1.0.0.10.in-addr.arpa. PTR", `
			Success
			@ PTR web-0.web.default.svc.cluster.local.`},
		// Whether names exist below is decided without a look at each of them, so hidden
		// ones count.
		{"network of hidden addresses", "172.in-addr.arpa. PTR", "NoData in-addr.arpa."},
	})
}
