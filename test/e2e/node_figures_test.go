//go:build e2e

package e2e

import (
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// figures is set to measure what doc/node.md states.
var figures = flag.Bool("figures", false, "measure what doc/node.md states of a server on each node, beside a stand-in for NodeLocal DNSCache")

// nodeDNS is a way to have a server on each node.
type nodeDNS struct {
	name      string
	install   func(*testing.T)
	selector  string
	configMap string
	daemonSet string
}

var nodeDNSes = []nodeDNS{
	{"DaemonSet", func(t *testing.T) { restoreDeployment(t); installOnNodes(t) }, nodeSelector, "coredns-node", onEachNode},
	{"NodeLocal DNSCache (stand-in)", installStandIn, localSelector, "node-local-dns", "daemonset/node-local-dns"},
}

// nodeEvents are what happens to the server on the client's node, how often it is measured, and how
// long the questions are watched then.
var nodeEvents = []struct {
	name    string
	rounds  int
	watched time.Duration
	happen  func(t *testing.T, d nodeDNS, s nodeServer, container string)
}{
	{"killed (-9)", 12, 5 * time.Second, func(t *testing.T, _ nodeDNS, _ nodeServer, container string) { kill(t, container) }},
	{"out of memory", 5, 5 * time.Second, func(t *testing.T, _ nodeDNS, _ nodeServer, container string) { exhaustMemory(t, container) }},
	{"hangs (SIGSTOP)", 2, 40 * time.Second, func(t *testing.T, _ nodeDNS, _ nodeServer, container string) { hang(t, container) }},
	{"Pod deleted", 2, 5 * time.Second, func(t *testing.T, _ nodeDNS, s nodeServer, _ string) { deletePod(t, s) }},
	{"Pod deleted by force", 2, 5 * time.Second, func(t *testing.T, _ nodeDNS, s nodeServer, _ string) { deletePod(t, s, "--force", "--grace-period=0") }},
	{"DaemonSet rolled through both nodes", 1, 10 * time.Second, func(t *testing.T, d nodeDNS, _ nodeServer, _ string) {
		kubectl(t, "rollout", "restart", "--namespace="+dnsNamespace, d.daemonSet)
	}},
	{"Corefile broken, then killed (-9)", 1, 10 * time.Second, func(t *testing.T, d nodeDNS, _ nodeServer, container string) {
		breakCorefile(t, d.configMap)
		kill(t, container)
	}},
}

// TestFiguresOfFailures measures how many questions of a Pod are lost, and how long none is
// answered, when the server on its node fails.
func TestFiguresOfFailures(t *testing.T) {
	if !*figures {
		t.Skip("measures for minutes: make e2e-figures")
	}
	_, places := twoPlaces(t, "failures")
	var table strings.Builder
	for _, d := range nodeDNSes {
		t.Run(d.name, func(t *testing.T) {
			d.install(t)
			for _, event := range nodeEvents {
				t.Run(event.name, func(t *testing.T) {
					var all []failure
					for range event.rounds {
						all = append(all, measureFailure(t, d, places[0], event.watched, event.happen))
					}
					fmt.Fprintf(&table, "| %s | %s | %s |\n", event.name, d.name, describe(all))
				})
			}
		})
	}
	t.Logf("| event | server on the node | questions lost | longest time without an answer | until its process was there again |\n|---|---|---|---|---|\n%s", table.String())
}

// failure is what happened to the questions of a Pod when the server on its node failed.
type failure struct {
	asked, lost int
	silence     time.Duration // the longest time without an answer
	restart     time.Duration // until the process was there again; 0 if it was not
}

// containerLook is how often the kubelet looks for containers that have ended.
const containerLook = time.Second

// measureFailure asks from a Pod while something happens to a new server on its node.
func measureFailure(t *testing.T, d nodeDNS, p place, watched time.Duration, happen func(*testing.T, nodeDNS, nodeServer, string)) failure {
	t.Helper()
	own := nodeServer{Node: p.Node, selector: d.selector}
	own.renew(t, d) // the kubelet waits longer each time before it starts a container again
	container := own.container(t)
	s := startStream(t, p.network, rollRate)
	s.await(t, 2*rollRate)
	time.Sleep(rand.N(containerLook)) // else each event would come as long after a look as the others
	began := time.Now()
	happen(t, d, own, container)
	time.Sleep(watched) // the time is what is measured
	f := failure{silence: s.longestSilence(), restart: max(0, own.startedAt(t).Sub(began))}
	asked, lost := s.stop()
	f.asked, f.lost = asked, len(lost)
	t.Logf("%d of %d lost, silence %s, restart %s", f.lost, f.asked, f.silence, f.restart)
	return f
}

// describe returns the cells of a table: the median, and the least and the most.
func describe(all []failure) string {
	lost := spread(all, func(f failure) int { return f.lost }, func(n int) string { return fmt.Sprint(n) })
	seconds := func(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
	return lost + " | " + spread(all, func(f failure) time.Duration { return f.silence }, seconds) +
		" | " + spread(all, func(f failure) time.Duration { return f.restart }, seconds)
}

func spread[E any, T cmp.Ordered](all []E, of func(E) T, text func(T) string) string {
	values := make([]T, 0, len(all))
	for _, f := range all {
		values = append(values, of(f))
	}
	slices.Sort(values)
	middle := text(values[len(values)/2])
	if len(values) == 1 {
		return middle
	}
	return fmt.Sprintf("%s (%s to %s)", middle, text(values[0]), text(values[len(values)-1]))
}
