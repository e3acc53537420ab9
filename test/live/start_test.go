package live

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

// readyBlock returns a Corefile with a plugin after ours that answers whatever falls
// through, and with the plugin ready.
func readyBlock(readyAddr string, lines ...string) string {
	text := block(append(lines, "fallthrough", "startup_timeout 1s")...)
	return strings.Replace(text, "errors\n", "errors\n whoami\n ready "+readyAddr+"\n", 1)
}

// until returns the answers to these questions before the first sync.
func (all answers) until() answers {
	before := answers{}
	for question := range all {
		before[question] = unready
	}
	return before
}

// existing returns the answers without the names that would fall through.
func (all answers) existing() answers {
	there := answers{}
	for question, answer := range all {
		if answer != noName {
			there[question] = answer
		}
	}
	return there
}

// A server that starts before its API server answers nothing without data: neither that a
// name does not exist, nor from the plugin after it. The test runs alone, because a start
// beside others with data counts as a reload.
func TestStartBeforeAPIServer(t *testing.T) {
	c := everybodys.start(t)
	w := world{namespace: "first", octet: "150"}.after()
	c.apply(t, w.objects())
	u, addr := c.user(t, "first"), freeport.Addr(t)
	c.KillAPIServer()

	s := start(t, readyBlock(addr, u.direct(t), "pods verified"))
	s.expect(t, w.answers().until())
	awaitReadiness(t, addr, "503 kubernetes")
	l := s.load(t, w.answers().existing().until())
	l.awaitQuestions(t, someSeconds)
	l.may(w.answers().existing()) // the server may have its data before the test knows that the API server is back
	c.restart(t)
	l.settle(t)
	awaitReadiness(t, addr, "200 OK")
	l.finish(t)
}

// D3: a server that has lost its API server stays ready, and a metric shows when it last
// heard from it. The test runs alone, because others add to that metric.
func TestD3LostAPIServer(t *testing.T) {
	c := everybodys.start(t)
	u, way, addr := c.user(t, "lost"), c.link(t), freeport.Addr(t)
	s := start(t, readyBlock(addr, u.by(way)))
	awaitReadiness(t, addr, "200 OK")
	way.cut()
	lost := time.Now()
	c.apply(t, "{apiVersion: v1, kind: Namespace, metadata: {name: lost}}")
	s.load(t, answers{"A svc.cluster.local": noData}).awaitQuestions(t, someSeconds)
	awaitReadiness(t, addr, "200 OK")
	if at := lastEvent(t, "namespaces"); at.After(lost) {
		t.Errorf("heard of the API server at %s, which is gone since %s", at, lost)
	}
	way.mend(t)
	eventually(t, func() error {
		if at := lastEvent(t, "namespaces"); !at.After(lost) {
			return fmt.Errorf("last heard of the API server at %s, and it was gone at %s", at, lost)
		}
		return nil
	})
}

// lastEvent returns when, according to the metrics, the API server was last heard from.
func lastEvent(t *testing.T, resource string) time.Time {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == "coredns_clusterdns_last_event_timestamp_seconds" && metric.GetLabel()[0].GetValue() == resource {
				return time.UnixMilli(int64(math.Round(metric.GetGauge().GetValue() * 1000)))
			}
		}
	}
	t.Fatalf("no time of a last event of %s", resource)
	return time.Time{}
}

// The readiness of the server may be asked at any time, also while a reload starts.
func TestReadyDuringReloads(t *testing.T) {
	u, addr := everybodys.start(t).user(t, "ready"), freeport.Addr(t)
	corefile := readyBlock(addr, u.direct(t))
	s := start(t, corefile)
	stop := make(chan struct{})
	var asking sync.WaitGroup
	asking.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = readiness(addr) // the listener closes and opens with each reload
			}
		}
	})
	for range 100 {
		s.mustReload(t, corefile)
	}
	close(stop)
	asking.Wait()
	awaitReadiness(t, addr, "200 OK")
}

// Without the right to watch EndpointSlices the server does not become ready. It logs that
// once, and continues by itself when the right is granted.
func TestMissingRight(t *testing.T) {
	c := everybodys.start(t)
	w := world{namespace: "right", octet: "160"}.after()
	c.apply(t, w.objects())
	u, addr := c.stranger(t, "right"), freeport.Addr(t)
	u.grant(t, "services", "namespaces")

	s := start(t, readyBlock(addr, u.direct(t), "pods insecure"))
	u.awaitRefusals(t, "endpointslices", 6)
	s.expect(t, w.answers().until())
	awaitReadiness(t, addr, "503 kubernetes")
	wantOneLine(t, `User "right"`)

	c.apply(t, u.role("services", "namespaces", "endpointslices"))
	s.await(t, answers{"A db.right.svc.cluster.local": "NOERROR 10.160.0.1 10.160.0.2"})
	awaitReadiness(t, addr, "200 OK")
	wantOneLine(t, `User "right"`)
}

// wantOneLine fails the test unless exactly one log line mentions the user and names the
// missing rule.
func wantOneLine(t *testing.T, user string) {
	t.Helper()
	lines := logged.mentioning(user)
	if len(lines) != 1 || !containsAll(lines[0], []string{"[ERROR]", "ClusterRole", "list and watch", `"endpointslices"`, `"discovery.k8s.io"`}) {
		t.Errorf("log lines about %s:\n%swant one that tells which rule is missing", user, strings.Join(lines, ""))
	}
}
