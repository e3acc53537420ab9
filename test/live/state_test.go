package live

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

// A server that starts without its API server answers from the file that one before it has kept, is
// ready, and goes over to what the API server has without an answer that goes back. The test runs
// alone, because a start beside others with data counts as a reload.
func TestStartFromState(t *testing.T) {
	c := everybodys.start(t)
	w := world{namespace: "kept", octet: "170"}
	c.apply(t, w.before().objects())
	u, addr := c.user(t, "kept"), freeport.Addr(t)
	keep := "state " + filepath.Join(t.TempDir(), "state") + "\n  explain"
	first := start(t, block(u.direct(t), "pods verified", keep))
	first.expect(t, w.before().answers())
	serial := first.serial(t)
	first.Stop()
	c.KillAPIServer()

	begun := time.Now()
	s := start(t, strings.Replace(block(u.direct(t), "pods verified", keep), "errors\n", "errors\n ready "+addr+"\n", 1))
	s.expect(t, w.before().answers())
	t.Logf("answers %s after the start", time.Since(begun))
	awaitReadiness(t, addr, "200 OK")
	if again := s.serial(t); again <= serial {
		t.Errorf("the serial is %d, after %d", again, serial)
	}
	if n := gauge(t, "coredns_clusterdns_restored"); n != 1 {
		t.Errorf("%g watches are restored, want one", n)
	}
	explain(t, 0, []string{"restored from state, as it was at "}, "web", "-from", "kept")
	l := s.load(t, w.before().answers())
	l.awaitQuestions(t, someSeconds)

	c.restart(t)
	l.may(w.after().answers())
	w.change(t, c)
	l.settle(t)
	awaitReadiness(t, addr, "200 OK")
	if n := gauge(t, "coredns_clusterdns_restored"); n != 0 {
		t.Errorf("%g watches are restored, want none", n)
	}
	l.finish(t)
	explain(t, 0, []string{"whole, the API server was heard of "}, "web", "-from", "kept")
}

func (s *server) serial(t *testing.T) uint32 {
	t.Helper()
	return s.serialOf(t, "cluster.local")
}

// gauge returns the value of a metric without labels.
func gauge(t *testing.T, name string) float64 {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == name {
			return f.GetMetric()[0].GetGauge().GetValue()
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}
