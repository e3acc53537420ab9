package answer

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer/answertest"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// outerSnapshot adds lines to those of load: what Services say of themselves
// outside the cluster.
//
//	outside default/web 192.0.2.1,2001:db8::1 lb.example.net. https/tcp/443
//	outside-headless default/db 192.0.2.2 - https/tcp/443
func outerSnapshot(t clustertest.T, text string) *cluster.Snapshot {
	t.Helper()
	store := cluster.NewStore()
	txn := store.Begin()
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 || !strings.HasPrefix(f[0], "outside") {
			clustertest.Load(t, txn, line)
			continue
		}
		svc := &cluster.Service{Key: clustertest.KeyOf(f[1]), ExternalIPs: clustertest.Addrs(t, f[2]), Ports: clustertest.Ports(t, f[4:])}
		if f[3] != "-" {
			svc.ExternalHosts = strings.Split(f[3], ",")
		}
		if f[0] == "outside-headless" {
			svc.Kind = cluster.Headless
		}
		txn.ReplaceService(nil, svc)
	}
	txn.SetSynced()
	txn.Commit()
	store.Checkpoint(clustertest.Serial)
	return store.Load()
}

func outerView(t clustertest.T, origins ...string) *ExternalView {
	t.Helper()
	apex, err := dnsname.Parse("dns")
	if err != nil {
		t.Fatal(err)
	}
	return &ExternalView{Origins: viewOf(t, origins...).Origins, Apex: apex, TTL: testTTL, Cluster: clusterView(t)}
}

func askOuter(t clustertest.T, v *ExternalView, s *cluster.Snapshot, question string) Answer {
	t.Helper()
	f := strings.Fields(question)
	n, err := dnsname.Parse(f[0])
	if err != nil {
		t.Fatalf("%s: %v", question, err)
	}
	return v.Lookup(s, &n, dns.StringToType[f[1]], Unlimited)
}

func runOuter(t *testing.T, v *ExternalView, s *cluster.Snapshot, rows []row) {
	t.Helper()
	answertest.Run(t, rows, func(question string) string { return renderOuter(askOuter(t, v, s, question)) })
}

// renderOuter is render, with the SOA record of these zones for short too.
func renderOuter(a Answer) string {
	for i, rr := range a.Authority {
		if soa, ok := rr.(*dns.SOA); ok && soa.Ns == "ns1.dns."+soa.Hdr.Name && soa.Mbox == "hostmaster.dns."+soa.Hdr.Name {
			short := *soa
			short.Ns, short.Mbox = "ns.dns."+soa.Hdr.Name, "hostmaster."+soa.Hdr.Name
			a.Authority[i] = &short
		}
	}
	return render(a)
}

const outerServices = `
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

func TestExternalAddresses(t *testing.T) {
	v := outerView(t, "example.org.")
	v.Cluster.Namespaces = map[string]struct{}{"default": {}}
	runOuter(t, v, outerSnapshot(t, outerServices), []row{
		{"IPv4", "web.default.example.org. A", `
			Success
			web.default.example.org. 5 IN A 192.0.2.1
			web.default.example.org. 5 IN A 192.0.2.2`},
		{"IPv6, in the spelling of the question", "WEB.Default.Example.ORG. AAAA", `
			Success
			WEB.Default.Example.ORG. 5 IN AAAA 2001:db8::1`},
		{"other family", "portless.default.example.org. AAAA", "NoData example.org."},
		{"other type", "web.default.example.org. TXT", "NoData example.org."},
		{"any type", "portless.default.example.org. ANY", `
			Success
			portless.default.example.org. 5 IN A 192.0.2.3`},
		{"every port, at the Service itself", "web.default.example.org. SRV", `
			Success
			web.default.example.org. 5 IN SRV 0 11 443 web.default.example.org.
			web.default.example.org. 5 IN SRV 0 11 53 web.default.example.org.
			web.default.example.org. 5 IN SRV 0 11 81 web.default.example.org.
			+ web.default.example.org. 5 IN A 192.0.2.1
			+ web.default.example.org. 5 IN AAAA 2001:db8::1
			+ web.default.example.org. 5 IN A 192.0.2.2`},
		{"one port", "_dns._udp.web.default.example.org. SRV", `
			Success
			_dns._udp.web.default.example.org. 5 IN SRV 0 33 53 web.default.example.org.
			+ web.default.example.org. 5 IN A 192.0.2.1
			+ web.default.example.org. 5 IN AAAA 2001:db8::1
			+ web.default.example.org. 5 IN A 192.0.2.2`},
		{"address of a port, without underscores", "dns.udp.web.default.example.org. AAAA", `
			Success
			dns.udp.web.default.example.org. 5 IN AAAA 2001:db8::1`},
		{"headless with an external address", "pets.default.example.org. A", `
			Success
			pets.default.example.org. 5 IN A 192.0.2.5`},
		{"no ports", "portless.default.example.org. SRV", "NoData example.org."},
	})
}

func TestExternalAbsence(t *testing.T) {
	v := outerView(t, "example.org.")
	v.Cluster.Namespaces = map[string]struct{}{"default": {}}
	runOuter(t, v, outerSnapshot(t, outerServices), []row{
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

// D22: a name below a Service is an empty non-terminal above its ports, or nothing.
func TestD22BelowAService(t *testing.T) {
	s := outerSnapshot(t, outerServices)
	for _, headless := range []bool{false, true} {
		v := outerView(t, "example.org.")
		v.Headless = headless
		runOuter(t, v, s, []row{
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
