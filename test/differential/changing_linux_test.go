package differential

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/miekg/dns"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterdns/clusterdns/test/netlab"
)

// compareChanging changes objects while both servers are asked, and compares the servers
// when both have seen the last change.
func (l *lab) compareChanging(t *testing.T, c *corefile) {
	pairs := startPairs(t, c, l.env)
	p := pairs[0]
	client, before := l.cluster.Client(), l.world
	p.changeAndAsk(t, newChanger(*seed, client, before), c.names(before))
	makeLastChange(t, client)
	for _, p := range pairs {
		p.awaitLastChange(t)
	}
	after, err := readWorld(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	names := slices.Compact(slices.Sorted(slices.Values(slices.Concat(c.names(before), c.names(after)))))
	p.awaitCheckpoint(t, c.origins[0])
	s := newScene(c, after)
	p.compareTransfers(t, s, l.tally)
	for _, p := range pairs {
		p.compare(t, s, newQuiz(c, 0, names).questions(l.least), l.tally)
	}
}

// changeAndAsk asks until all changes are made. The answers cannot be predicted, but ours
// must always come, and never as not ready.
func (p *pair) changeAndAsk(t *testing.T, ch *changer, names []string) {
	t.Helper()
	changed := make(chan error, 1)
	go func() { changed <- ch.run(t.Context()) }()
	a := newAsker(p.addresses[:]...)
	defer a.close()
	rng, asked := rand.New(rand.NewPCG(*seed, 2)), 0
	for {
		select {
		case err := <-changed:
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%d questions while %d objects changed", asked, changes)
			return
		default:
		}
		q := ask(pick(rng, names...), pick(rng, types...))
		r := a.one(ourServer, q)
		for i := 0; errors.Is(r.problem, errNoReply) && i < retries; i++ {
			r = a.one(ourServer, q)
		}
		if r.problem != nil || r.rcode == dns.RcodeServerFailure && r.flags.aa && r.empty() {
			t.Errorf("%s: %s", q, r)
		}
		asked++
	}
}

// lastName is the name of the last Service.
const lastName = "last.last.svc.cluster.local."

const lastChange = `
{apiVersion: v1, kind: Namespace, metadata: {name: last}}
---
{apiVersion: v1, kind: Service, metadata: {name: last, namespace: last}, spec: {clusterIP: None, ports: [{name: http, port: 80}]}}
---
{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: last, namespace: last, labels: {kubernetes.io/service-name: last}},
  addressType: IPv4, ports: [{name: http, port: 80}], endpoints: [{addresses: [10.244.30.1]}]}
---
{apiVersion: v1, kind: Pod, metadata: {name: last, namespace: last}, spec: {containers: [{name: a, image: a}]},
  status: {phase: Running, podIP: 10.244.30.2, podIPs: [{ip: 10.244.30.2}]}}
`

// awaitCheckpoint waits until our transfers, which show a change within a second, have the
// last change.
func (p *pair) awaitCheckpoint(t *testing.T, zone string) {
	t.Helper()
	netlab.Eventually(t, func(context.Context) error {
		z := pull(p.addresses[ourServer], zone, 0, dns.TypeAXFR)
		if !slices.ContainsFunc(z.records, func(rr dns.RR) bool { return rr.Header().Name == lastName }) {
			return fmt.Errorf("%d records and no %s: %w", len(z.records), lastName, z.problem)
		}
		return nil
	})
}

// makeLastChange makes one more object of each kind.
func makeLastChange(t *testing.T, client kubernetes.Interface) {
	t.Helper()
	objects, err := parseObjects([]byte(lastChange))
	if err != nil {
		t.Fatal(err)
	}
	if err := create(t.Context(), client, objects); err != nil {
		t.Fatal(err)
	}
}

// awaitLastChange waits until both servers answer with the last objects. A watch is in
// order, so a server with the last objects has all.
func (p *pair) awaitLastChange(t *testing.T) {
	t.Helper()
	a := newAsker(p.addresses[:]...)
	defer a.close()
	for server := range []int{stockServer, ourServer} {
		for _, name := range []string{lastName, "10-244-30-2.last.pod.cluster.local."} {
			netlab.Eventually(t, func(context.Context) error {
				r := a.one(server, ask(name, dns.TypeA))
				if r.problem != nil {
					return r.problem
				}
				if len(r.answer) == 0 {
					return fmt.Errorf("%s: %s", name, r)
				}
				return nil
			})
		}
	}
}
