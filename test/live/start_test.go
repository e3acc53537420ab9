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

// readyBlock is a Corefile with a plugin behind ours, which answers whatever falls
// through, and with the plugin that says whether the server is ready.
func readyBlock(readyAddr string, lines ...string) string {
	text := block(append(lines, "fallthrough", "startup_timeout 1s")...)
	return strings.Replace(text, "errors\n", "errors\n whoami\n ready "+readyAddr+"\n", 1)
}

// until are the answers before the first sync, of whatever is asked.
func (all answers) until() answers {
	before := answers{}
	for question := range all {
		before[question] = unready
	}
	return before
}

// existing leaves out the names that would fall through.
func (all answers) existing() answers {
	there := answers{}
	for question, answer := range all {
		if answer != noName {
			there[question] = answer
		}
	}
	return there
}

// A server that starts before its API server answers nothing from no data: not
// even that a name does not exist, or by the plugin behind it. The test runs
// alone, as a start beside others that have data counts as a reload.
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
	l.goOn(t, someSeconds)
	l.may(w.answers().existing()) // the server may have its data before the test hears of the API server
	c.restart(t)
	l.settle(t)
	awaitReadiness(t, addr, "200 OK")
	l.finish(t)
}

// D3: a server that has lost its API server stays ready, and a metric tells since
// when it has heard nothing. The test runs alone, as others add to that metric.
func TestD3LostAPIServer(t *testing.T) {
	c := everybodys.start(t)
	u, way, addr := c.user(t, "lost"), c.link(t), freeport.Addr(t)
	s := start(t, readyBlock(addr, u.by(way)))
	awaitReadiness(t, addr, "200 OK")
	way.cut()
	lost := time.Now()
	c.apply(t, "{apiVersion: v1, kind: Namespace, metadata: {name: lost}}")
	s.load(t, answers{"A svc.cluster.local": noData}).goOn(t, someSeconds)
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

// lastEvent is when the metrics say that the API server was last heard of.
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

// Whether the server is ready may be asked at any time, also while a reload
// begins what is asked.
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
				_, _ = readiness(addr) // the listener comes and goes with each reload
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

// Without the right to see EndpointSlices the server is as good as not started.
// It says so once, and goes on by itself when the right is granted.
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

// wantOneLine fails the test unless one line of the log mentions the user, and
// tells which rule is missing.
func wantOneLine(t *testing.T, user string) {
	t.Helper()
	lines := logged.mentioning(user)
	if len(lines) != 1 || !containsAll(lines[0], []string{"[ERROR]", "ClusterRole", "list and watch", `"endpointslices"`, `"discovery.k8s.io"`}) {
		t.Errorf("log lines about %s:\n%swant one that tells which rule is missing", user, strings.Join(lines, ""))
	}
}
