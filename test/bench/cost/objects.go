package cost

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// question is a kind of question, asked for several numbers of records.
type question struct {
	title     string
	name      func(n int) string
	qtype     uint16
	oursAlone bool // stock has no such names
}

var questions = []question{
	{"SRV of a headless Service", named("_http._tcp.many-%d.app.svc.cluster.local."), dns.TypeSRV, false},
	{"A of a headless Service", named("many-%d.app.svc.cluster.local."), dns.TypeA, false},
	{"PTR of an endpoint of many Services", sharedReverse, dns.TypePTR, false},
	{"A of a topology zone", named("eu-1.pin._zone.many-%d.app.svc.cluster.local."), dns.TypeA, true},
	{"SRV of k8s_external", named("_http._tcp.many-%d.app.example.org."), dns.TypeSRV, false},
	{"A of k8s_external", named("many-%d.app.example.org."), dns.TypeA, false},
}

func named(format string) func(int) string {
	return func(n int) string { return fmt.Sprintf(format, n) }
}

// sharedAddress returns the address that so many Services have as an endpoint.
func sharedAddress(n int) string { return fmt.Sprintf("10.250.0.%d", 1+slices.Index(counts, n)) }

func sharedReverse(n int) string {
	name, _ := dns.ReverseAddr(sharedAddress(n)) // it fails for what is no address
	return name
}

// objects returns the manifests for the API server.
func objects() []byte {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Namespace\nmetadata: {name: app}\n")
	for _, n := range counts {
		writeService(&b, fmt.Sprintf("many-%d", n))
		for first := 0; first < n; first += perSlice {
			writeSlice(&b, fmt.Sprintf("many-%d", n), first, addresses(first, min(n, first+perSlice)))
		}
	}
	for i := range counts[len(counts)-1] {
		service := fmt.Sprintf("shared-%d", i)
		writeService(&b, service)
		var shared []string
		for _, n := range counts {
			if i < n {
				shared = append(shared, sharedAddress(n))
			}
		}
		writeSlice(&b, service, 0, shared)
	}
	return []byte(b.String())
}

// perSlice is the largest number of endpoints in a slice.
const perSlice = 1000

func addresses(from, to int) (list []string) {
	for i := from; i < to; i++ {
		list = append(list, fmt.Sprintf("10.244.%d.%d", i/250, 1+i%250))
	}
	return list
}

func writeService(b *strings.Builder, name string) {
	fmt.Fprintf(b, "---\napiVersion: v1\nkind: Service\nmetadata: {name: %s, namespace: app}\nspec: {clusterIP: None, ports: [{name: http, port: 80}]}\n", name)
}

func writeSlice(b *strings.Builder, service string, number int, endpoints []string) {
	fmt.Fprintf(b, "---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: %s-%d, namespace: app, labels: {kubernetes.io/service-name: %s}}\n", service, number, service)
	b.WriteString("addressType: IPv4\nports: [{name: http, port: 80, protocol: TCP}]\nendpoints:\n")
	for _, address := range endpoints {
		fmt.Fprintf(b, "- {addresses: [%s], conditions: {ready: true}, zone: eu-1}\n", address)
	}
}
