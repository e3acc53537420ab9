package live

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// TestPublishedNamesFromState starts a server without its API server, which then comes with other names.
// No name is denied meanwhile, and no answer goes back. The test runs alone, as TestStartFromState.
func TestPublishedNamesFromState(t *testing.T) {
	c := startCluster(t, controlplane.Options{})
	c.apply(t, ingressAndService)
	u := c.publisher(t, "keptnames", publishers...)
	corefile := fmt.Sprintf(`example.org:0 cluster.local:0 {
 bind 127.0.0.1
 errors
 k8s_gateway example.org {
  resources Ingress Service HTTPRoute
 }
 kubernetes cluster.local {
  startup_timeout %s
  state %s
  %s
 }
}
`, patience, filepath.Join(t.TempDir(), "state"), u.direct(t))
	first := start(t, corefile)
	first.await(t, ingressAnswers)
	serial := first.serialOf(t, "example.org")
	first.Stop()
	c.KillAPIServer()

	s := start(t, corefile)
	s.expect(t, ingressAnswers)
	if again := s.serialOf(t, "example.org"); again <= serial {
		t.Errorf("the serial is %d, after %d", again, serial)
	}
	l := s.load(t, ingressAnswers)
	l.awaitQuestions(t, someSeconds)
	after := maps.Clone(ingressAnswers)
	after["A web.example.org"], after["A x.wild.example.org"] = "NOERROR 192.0.2.11", "NOERROR 192.0.2.11"
	l.may(after)
	c.restart(t)
	c.apply(t, strings.Replace(ingressAndService, "192.0.2.10", "192.0.2.11", 1))
	l.settle(t)
	l.finish(t)
}

// serialOf returns the serial of a zone.
func (s *server) serialOf(t *testing.T, zone string) uint32 {
	t.Helper()
	m, err := s.exchange("SOA " + zone)
	if err != nil || len(m.Answer) != 1 {
		t.Fatalf("%v: %v", err, m)
	}
	return m.Answer[0].(*dns.SOA).Serial
}
