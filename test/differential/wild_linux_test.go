package differential

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/netlab"
)

// TestCorefilesInTheWild starts the Corefiles of distributions on stock and on ours,
// unchanged and with the files of their containers. TestDifferential compares them in
// depth.
func TestCorefilesInTheWild(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a Kubernetes API server and stock CoreDNS when it runs for the first time")
	}
	l := newLab(t)
	for _, c := range readWild(t) {
		t.Run(c.name, func(t *testing.T) { l.startAsIs(t, c) })
	}
}

// startAsIs starts one server after the other, because both use the same ports, and
// compares their first answers.
func (l *lab) startAsIs(t *testing.T, c *corefile) {
	var answers [2][]string
	for i, binary := range binaries(t) {
		server := netlab.StartContained(t, netlab.Server{Binary: binary, Env: l.env, Complaint: complaint}, c.configMap(t))
		server.Eventually(t, netlab.Ready(fmt.Sprintf("127.0.0.1:%d", readyPort)))
		answers[i] = c.answers(t, server)
		server.Kill(t)
	}
	for i, q := range c.plain() {
		if answers[stockServer][i] != answers[ourServer][i] {
			t.Errorf("%s\n  stock: %s\n  ours:  %s", q, answers[stockServer][i], answers[ourServer][i])
		}
	}
}

// complaint matches log lines that report a problem.
var complaint = regexp.MustCompile(`(?m)^(\[(ERROR|FATAL)\]|E[0-9]{4} |panic: |fatal error: ).*`)

// answers returns what a server answers to the plain questions, over either network.
func (c *corefile) answers(t *testing.T, server *netlab.Process) []string {
	t.Helper()
	a := newAsker(fmt.Sprintf("%s:%d", serverAddr, c.port))
	defer a.close()
	var all []string
	for i, q := range c.plain() {
		q.tcp = i%2 == 1
		var r *reply
		server.Eventually(t, func(context.Context) error {
			r = a.one(0, q)
			return r.problem
		})
		if c.cached {
			r = r.loosened(c.uncached)
		}
		address := imported[c.name][q.name]
		if address != "" && q.qtype == dns.TypeA && !strings.Contains(r.String(), address) {
			t.Errorf("%s: %s, want %s", q, r, address)
		}
		all = append(all, r.String())
	}
	return all
}
