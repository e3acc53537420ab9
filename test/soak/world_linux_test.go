//go:build soak

package soak

import (
	"context"
	"fmt"
	"maps"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/netlab"
)

const (
	role = "../../deploy/kubernetes/rbac.yaml"

	// services is how many objects of each kind there are.
	services = 24
	// addresses is how many addresses pass from Pod to Pod.
	addresses = 12
	// pace is the time between two changes.
	pace = 25 * time.Millisecond
	// writers is how many changes are in progress at a time, each of another object. It
	// must divide the number of objects.
	writers = 3
)

const fixedObjects = `
{apiVersion: v1, kind: Namespace, metadata: {name: soak}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: elsewhere}}
---
{apiVersion: v1, kind: Service, metadata: {name: fixed, namespace: soak},
  spec: {ipFamilyPolicy: RequireDualStack, clusterIP: 10.96.1.1, clusterIPs: [10.96.1.1, "fd00:10:96::1:1"], ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: alias, namespace: soak}, spec: {type: ExternalName, externalName: fixed.soak.svc.cluster.local}}
---
{apiVersion: v1, kind: Pod, metadata: {name: pod, namespace: soak}, spec: {containers: [{name: a, image: a}]},
  status: {phase: Running, podIP: 10.10.0.1, podIPs: [{ip: 10.10.0.1}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: open, namespace: soak}, spec: {clusterIP: 10.96.1.2, externalIPs: [192.0.2.53], ports: [{name: http, port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: out, namespace: soak}, spec: {type: ExternalName, externalName: c1.ttl2.example.org}}
---
{apiVersion: v1, kind: Service, metadata: {name: crowd, namespace: soak}, spec: {clusterIP: None, ports: [{name: http, port: 80}]}}
`

// The Service crowd has many endpoints.
const (
	crowdName = "crowd"
	crowdSize = 1000
)

// crowd returns the manifest of its endpoints.
func crowd() []byte {
	var b strings.Builder
	b.WriteString("{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: crowd, namespace: soak, labels: {kubernetes.io/service-name: crowd}},\n" +
		"  addressType: IPv4, ports: [{name: http, port: 80, protocol: TCP}], endpoints: [\n")
	for i := range crowdSize {
		fmt.Fprintf(&b, "{addresses: [10.30.%d.%d]},\n", i/250, 1+i%250)
	}
	b.WriteString("]}\n")
	return []byte(b.String())
}

// probe is a question whose TTL shows which Corefile is loaded.
const probe = "A fixed" + suffix

// fixedAnswers are answers that never change, under any Corefile: of the fast path, of the
// chain, and of the outside server.
var fixedAnswers = map[string]string{
	probe:                                "NOERROR 10.96.1.1",
	"AAAA fixed" + suffix:                "NOERROR fd00:10:96::1:1",
	"SRV _http._tcp.fixed" + suffix:      "NOERROR 0 50 80 fixed" + suffix + ".",
	"PTR 10.96.1.1":                      "NOERROR fixed" + suffix + ".",
	"A alias" + suffix:                   "NOERROR 10.96.1.1 fixed" + suffix + ".",
	"TXT fixed" + suffix:                 noData,
	"A never" + suffix:                   noName,
	"A 10-10-0-1.soak.pod.cluster.local": "NOERROR 10.10.0.1",
	"A 10-10-0-2.soak.pod.cluster.local": noName,
	"A www.example.org":                  "NOERROR 192.0.2.80",
	"A open" + externalSuffix:            "NOERROR 192.0.2.53",
	"AAAA open" + externalSuffix:         noData,
	"A never" + externalSuffix:           noName,
}

func fixed() *object {
	return &object{
		name: "fixed", questions: slices.Sorted(maps.Keys(fixedAnswers)),
		answer: func(question string, _ int) string { return fixedAnswers[question] },
	}
}

// world is a cluster whose objects change.
type world struct {
	cluster *controlplane.Cluster
	link    *link // from the server to the cluster
	outside outside
	env     []string
	objects []*object
	names   []string // names in the questions for all objects
	moving  []changing
}

func startWorld(t *testing.T) *world {
	t.Helper()
	w := &world{cluster: controlplane.StartTest(t, controlplane.Options{}), objects: []*object{fixed()}, outside: outside{began: time.Now()}}
	rights, err := os.ReadFile(role)
	if err != nil {
		t.Fatal(err)
	}
	for _, manifest := range [][]byte{rights, []byte(fixedObjects), crowd()} {
		if err := w.cluster.Apply(t.Context(), manifest); err != nil {
			t.Fatal(err)
		}
	}
	for i := range services {
		w.moving = append(w.moving, headless(i), clusterIP(i))
	}
	for i := range addresses {
		w.moving = append(w.moving, podAddress(i))
	}
	for _, c := range w.moving {
		if err := c.change(t.Context(), w.cluster.Client(), 0); err != nil {
			t.Fatal(err)
		}
		w.objects = append(w.objects, c.object)
	}
	if w.names, err = namesOf(w.objects); err != nil {
		t.Fatal(err)
	}
	w.outside.serve(t)
	w.link = startLink(t, strings.TrimPrefix(w.cluster.URL(), "https://"))
	netlab.MountAccount(t, w.cluster, "kube-system", "coredns")
	host, port, err := net.SplitHostPort(w.link.addr)
	if err != nil {
		t.Fatal(err)
	}
	w.env = []string{"KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port}
	return w
}

// awaitNews waits until an answer for each Service shows a change that comes after now. The
// answers for addresses of Pods repeat.
func (w *world) awaitNews(ctx context.Context) error {
	deadline := time.Now().Add(netlab.Patience)
	moving, begun := w.moving[:2*services], []int{}
	for _, c := range moving {
		begun = append(begun, c.newestBegun())
	}
	for i, c := range moving {
		for c.newest() <= begun[i] {
			if !pause(ctx, politeRest) {
				return nil
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("%s after a stall: no answer shows version %d", c.name, begun[i]+1)
			}
		}
	}
	return nil
}

// churn changes one of its own objects after another until the context ends.
func (w *world) churn(ctx context.Context, writer int) (changes int, err error) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for ; ; changes++ {
		select {
		case <-ctx.Done():
			return changes, nil
		case <-tick.C:
		}
		c := w.moving[(changes*writers+writer)%len(w.moving)]
		// A change that has begun is completed.
		if err := c.change(context.WithoutCancel(ctx), w.cluster.Client(), c.begin()); err != nil {
			return changes, err
		}
	}
}
