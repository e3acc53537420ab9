package resolvers

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/wire"
	"github.com/clusterdns/clusterdns/test/netlab"
)

// replica is one of two servers behind the address of the cluster's DNS.
type replica struct {
	properties string
	objects    []string
}

// podOf returns the client's Pod as the replica at an address sees it: the address that
// questions come from there.
func podOf(i int) string { return fmt.Sprintf(client, 5, replicaAddrs[i]) }

var noPod, noServices = []string{manifests}, []string{`{apiVersion: v1, kind: Namespace, metadata: {name: app}}`}

// dualStack are the names with both families that are searched for.
const dualStack = "www.example.com WWW.Example.Com cdn.example.com web.shop web.shop.svc web.shop.svc.cluster.local mail.shop"

// TestTwoReplicas sends questions for A to one replica and for AAAA to the other, while
// their data differs. Clients find at least what they find without completion.
func TestTwoReplicas(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles resolvers and asks for minutes, in a network of its own")
	}
	serveOutside(t)
	setResolvConf(t, 5)
	w, clients := listen(t), compileAll(t).stubs(t)
	off := replica{"search off", noPod}
	for _, tc := range []struct {
		title string
		a, b  replica
		loses string // names of which a client may find one family alone
	}{
		{"one knows the Pod", replica{"search pods", []string{manifests, podOf(0)}}, replica{"search pods", noPod}, ""},
		{"the other knows the Pod", replica{"search pods", noPod}, replica{"search pods", []string{manifests, podOf(1)}}, ""},
		{"one has the Services", replica{"search names", noPod}, replica{"search names", noServices}, ""},
		{"the other has the Services", replica{"search names", noServices}, replica{"search names", noPod}, ""},
		{"one does not complete yet", replica{"search names", noPod}, off, dualStack},
		{"the other does not complete yet", off, replica{"search names", noPod}, dualStack},
		{"one knows the Pod, and nothing else will do", replica{"search pods none", []string{manifests, podOf(0)}},
			replica{"search pods none", noPod}, dualStack},
	} {
		t.Run(tc.title, func(t *testing.T) {
			plain := askReplicas(t, w, clients, replica{"search off", tc.a.objects}, replica{"search off", tc.b.objects})
			for key, r := range askReplicas(t, w, clients, tc.a, tc.b) {
				checkReplicas(t, key, plain[key].addrs, r, tc.loses)
			}
		})
	}
}

// askReplicas looks up every name with every client, from a pair of replicas.
func askReplicas(t *testing.T, w *wire.Wire, clients []stub, a, b replica) map[string]result {
	t.Helper()
	results := map[string]result{}
	t.Run(a.properties+" and "+b.properties, func(t *testing.T) {
		serveReplicas(t, a, b)
		for _, c := range clients {
			for _, name := range names {
				if !strings.HasPrefix(name, broken) {
					results[c.name+": "+name] = c.lookUp(t, w, name, c.families[0])
				}
			}
		}
	})
	return results
}

// checkReplicas fails the test if a client found other addresses than expected, or none of
// them where it may lose some.
func checkReplicas(t *testing.T, key, want string, r result, loses string) {
	t.Helper()
	_, name, _ := strings.Cut(key, ": ")
	lost := slices.Contains(strings.Fields(loses), name) && r.addrs != "" && strings.Contains(want, r.addrs)
	if r.addrs != want && !lost {
		t.Errorf("%s has %q, want %q\n%s", key, r.addrs, want, strings.Join(r.questions, "\n"))
	}
}

// serveReplicas starts both replicas, and sends questions for A to the first and all others
// to the second.
func serveReplicas(t *testing.T, a, b replica) {
	t.Helper()
	for i, r := range []replica{a, b} {
		serveCluster(t, replicaAddrs[i], r.properties, r.objects...)
	}
	relay := dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		to := replicaAddrs[1]
		if r.Question[0].Qtype == dns.TypeA {
			to = replicaAddrs[0]
		}
		m, err := dns.Exchange(r, net.JoinHostPort(to.String(), "53"))
		if err == nil {
			err = w.WriteMsg(m)
		}
		if err != nil {
			t.Error(err)
		}
	})
	netlab.ServeDNS(t, net.JoinHostPort(dnsAddr.String(), "53"), relay)
}
