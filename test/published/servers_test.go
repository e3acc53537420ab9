package published

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
	"github.com/clusterdns/clusterdns/test/kit/process"
	"github.com/clusterdns/clusterdns/test/kit/stock"
)

// patience is how long both servers may take to see the objects.
const patience = 2 * time.Minute

// setting is a Corefile, with what follows from it.
type setting struct {
	name           string
	lines          []string
	resources      []string
	classes        []string // of Ingresses and of Gateways
	ttl            uint32
	server, second string // names of the name servers below the zones
	falls          bool   // what does not exist is left to a server behind
}

var everything = []string{"Ingress", "Service", "HTTPRoute", "TLSRoute", "GRPCRoute", "DNSEndpoint"}

var settings = []*setting{
	{
		name: "everything", resources: everything, ttl: 30, server: "dns1.kube-system", second: "dns2.kube-system",
		lines: []string{"ttl 30", "secondary dns2.kube-system"},
	},
	{
		name: "classes", resources: []string{"DNSEndpoint", "HTTPRoute", "Ingress", "Service"}, classes: []string{"nginx", "istio"},
		ttl: 60, server: "dns2.kube-system", falls: true,
		lines: []string{"apex dns2.kube-system", "ingressClasses nginx", "gatewayClasses istio", "fallthrough"},
	},
}

// corefile returns the Corefile for a port. What falls through goes to a block at another.
func (s *setting) corefile(port, behind, kubeconfig string) string {
	forward := ""
	if s.falls {
		forward = "forward . 127.0.0.1:" + behind
	}
	return fmt.Sprintf(`%s {
 bind 127.0.0.1
 errors
 k8s_gateway {
  resources %s
  kubeconfig %s
  %s
 }
 %s
}
.:%s {
 bind 127.0.0.1
 local
}
.:%s {
 bind 127.0.0.1
 template ANY ANY {
  answer "{{ .Name }} 60 IN TXT next"
 }
}
`, strings.Join(zones, ":"+port+" ")+":"+port, strings.Join(s.resources, " "), kubeconfig, strings.Join(s.lines, "\n  "), forward, port, behind)
}

// startOurs starts ours in this process, and returns its address.
func startOurs(t *testing.T, s *setting, kubeconfig string) string {
	t.Helper()
	address := freeport.Addr(t)
	_, port, _ := net.SplitHostPort(address)
	server, err := coredns.Start(coredns.Input(s.corefile(port, freeport.Port(t), kubeconfig)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	server.AwaitServing()
	return address
}

// startOther starts CoreDNS with the plugin of others, and returns its address and its process.
func startOther(t *testing.T, s *setting, kubeconfig string) (string, *process.Process) {
	t.Helper()
	binary, err := stock.BuildGateway(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	address := freeport.Addr(t)
	_, port, _ := net.SplitHostPort(address)
	corefile := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(corefile, []byte(s.corefile(port, freeport.Port(t), kubeconfig)), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := process.Start(binary, filepath.Join(filepath.Dir(corefile), "log"), "-conf", corefile)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.Kill(); t.Failed() {
			t.Log(p.Tail())
		}
	})
	if err := p.AwaitReady(t.Context(), func(context.Context) error { return answers(address) }); err != nil {
		t.Fatal(err)
	}
	return address, p
}

// answers returns nil if a server answers at all.
func answers(address string) error {
	c := coredns.Client("udp")
	_, _, err := c.Exchange(new(dns.Msg).SetQuestion("localhost.", dns.TypeA), address)
	return err
}

// kubeconfig returns the file with which both servers find the API server.
func kubeconfig(t *testing.T, c *controlplane.Cluster) string {
	t.Helper()
	path, err := c.Kubeconfig(c.Admin())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// markers are objects that come last, one of each kind: a server that has them has all that came
// before, since a watch is in order.
func markers(round int) (manifest string, hosts map[string]string) {
	hosts = map[string]string{}
	at := fmt.Sprintf("203.0.113.%d", round+1)
	host := func(kind string) []string {
		name := fmt.Sprintf("marker-%d-%s.example.org", round, strings.ToLower(kind))
		hosts[kind] = name + "."
		return []string{name}
	}
	all := []string{
		ingress("marker", "nginx", "", host("Ingress"), "{ip: "+at+"}"),
		endpoints("marker", endpoint(host("DNSEndpoint")[0], "A", at)),
		fmt.Sprintf("apiVersion: v1\nkind: Service\nmetadata: {name: marker, namespace: town, annotations: {coredns.io/hostname: %s}}\n"+
			"spec: {type: LoadBalancer, ports: [{port: 53}]}\nstatus: {loadBalancer: {ingress: [{ip: %s}]}}\n", host("Service")[0], at),
	}
	for _, kind := range []string{"HTTPRoute", "GRPCRoute", "TLSRoute"} {
		all = append(all, route(kind, "marker", "True", host(kind), []string{places[0].ref()}))
	}
	return strings.Join(all, "---\n"), hosts
}

// awaitMarkers waits until a server has the markers that it shows.
func awaitMarkers(t *testing.T, s *setting, address string, hosts map[string]string) {
	t.Helper()
	client := coredns.Client("udp")
	await.Success(t, 20*time.Millisecond, patience, func(context.Context) error {
		var missing []error
		for _, kind := range s.resources {
			r, _, err := client.Exchange(new(dns.Msg).SetQuestion(hosts[kind], dns.TypeA), address)
			if err == nil && len(r.Answer) == 0 {
				err = fmt.Errorf("no answer to %s", hosts[kind])
			}
			missing = append(missing, err)
		}
		return errors.Join(missing...)
	})
}
