package fastpath_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// crowdCorefile serves as many Services as published names, or the latter inside.
const crowdCorefile = `
cluster.local:PORT example.org:PORT {
    bind 127.0.0.1
    errors
    k8s_gateway example.org {
        resources HTTPRoute
        MODE
    }
    kubernetes cluster.local {
        manifests MANIFEST
    }
    loadbalance
}
`

// crowdManifest writes 5,000 Services, and 2,000 routes with 5,000 hostnames at 20 Gateways.
func crowdManifest(b *testing.B) string {
	b.Helper()
	var text strings.Builder
	for i := range 40 {
		fmt.Fprintf(&text, "---\n{apiVersion: v1, kind: Namespace, metadata: {name: team-%d}}\n", i)
	}
	for i := range 5000 {
		fmt.Fprintf(&text, "---\n{apiVersion: v1, kind: Service, metadata: {name: shop-%d, namespace: team-%d}, spec: {clusterIP: 10.96.%d.%d, ports: [{port: 80}]}}\n", i, i%40, i/250, i%250+1)
	}
	for i := range 20 {
		fmt.Fprintf(&text, `---
{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: front-%d, namespace: team-0}, spec: {gatewayClassName: a,
  listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]}, status: {addresses: [{value: 192.0.2.%[1]d}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: front-%[1]d, namespace: team-0, labels: {gateway.networking.k8s.io/gateway-name: front-%[1]d}}, spec: {clusterIP: 10.97.0.%[1]d, ports: [{port: 80}]}}
`, i)
	}
	for i := range 2000 {
		parent := fmt.Sprintf("{name: front-%d, namespace: team-0}", i%20)
		var hosts []string
		for _, n := range []int{i, i + 2000, i + 4000} {
			if n < 5000 {
				hosts = append(hosts, fmt.Sprintf("shop-%d.team-%d.example.org", n, n%40))
			}
		}
		fmt.Fprintf(&text, "---\n{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: route-%d, namespace: team-%d}, spec: {hostnames: [%s], parentRefs: [%s]}, "+
			"status: {parents: [{controllerName: a/b, parentRef: %[4]s, conditions: [{type: Accepted, status: \"True\"}]}]}}\n", i, i%40, strings.Join(hosts, ", "), parent)
	}
	path := filepath.Join(b.TempDir(), "crowd.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// BenchmarkPublished is what an answer costs for one of 5,000 published names, beside what it costs for one
// of 5,000 names of the cluster's own: at the sockets and from the chain, in CPU time.
func BenchmarkPublished(b *testing.B) {
	manifest := crowdManifest(b)
	for _, mode := range []struct{ name, property string }{{"outside", "ttl 60"}, {"inside", "inside"}} {
		port := freePort(b)
		i := coredns.StartTest(b, strings.NewReplacer("PORT", fmt.Sprint(port), "MODE", mode.property, "MANIFEST", manifest).Replace(crowdCorefile))
		await.True(b, time.Minute, "the names are there", func() bool {
			return exchange(b, port, "shop-4999.team-39.example.org.", dns.TypeA).Rcode == dns.RcodeSuccess
		})
		s, reason := fastService(b, i, port)
		if s == nil || reason != "" {
			b.Fatal(reason)
		}
		for _, names := range []struct{ name, zone string }{{"own", "svc.cluster.local."}, {"published", "example.org."}} {
			packets := crowdQuestions(b, names.zone)
			b.Run(fmt.Sprintf("Sockets/%s/%s", mode.name, names.name), func(b *testing.B) { benchmarkCrowdAtSockets(b, s, packets) })
			b.Run(fmt.Sprintf("Chain/%s/%s", mode.name, names.name), func(b *testing.B) { benchmarkCrowdInChain(b, s, packets) })
		}
	}
}

func benchmarkCrowdAtSockets(b *testing.B, s *udp.Backend, packets [][]byte) {
	r, out, n, before := reply.NewResponder(), make([]byte, 0, 1<<17), 0, cpuTime(b)
	for b.Loop() {
		n++
		if _, verdict := r.Respond(s.Zones, stranger, packets[n%len(packets)], out); verdict != reply.Answer {
			b.Fatal(verdict)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

func benchmarkCrowdInChain(b *testing.B, s *udp.Backend, packets [][]byte) {
	var w packer
	n, before := 0, cpuTime(b)
	for b.Loop() {
		n++
		m := new(dns.Msg)
		if err := m.Unpack(packets[n%len(packets)]); err != nil {
			b.Fatal(err)
		}
		s.Handler.ServeDNS(s.Context, &w, m)
	}
	b.ReportMetric(float64((cpuTime(b)-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
}

// crowdQuestions returns questions for the addresses of all names of a zone, in random order.
func crowdQuestions(b *testing.B, zone string) (packets [][]byte) {
	b.Helper()
	for i := range 5000 {
		m := new(dns.Msg).SetQuestion(fmt.Sprintf("shop-%d.team-%d.%s", i, i%40, zone), dns.TypeA).SetEdns0(1232, false)
		packet, err := m.Pack()
		if err != nil {
			b.Fatal(err)
		}
		packets = append(packets, packet)
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(packets), func(i, j int) { packets[i], packets[j] = packets[j], packets[i] })
	return packets
}

// cpuTime returns the CPU time of this process, which other processes do not change.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		b.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
