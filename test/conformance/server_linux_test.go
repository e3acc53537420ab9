package conformance

import (
	"context"
	"fmt"
	"regexp"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/netlab"
)

const readyAddr = "127.0.0.1:8181"

// complaint is a line that a server which has everything it needs does not log:
// CoreDNS' own errors, those of Kubernetes' client library, and the end of a
// program in a panic.
var complaint = regexp.MustCompile(`(?m)^.*(\[ERROR\]|\[FATAL\]|^E\d{4} |^panic: |^fatal error: ).*$`)

// readiness is the Corefile's line for the plugin behind readyAddr.
var readiness = regexp.MustCompile(`(?m)^\s*ready\s*$`)

// startServer runs the server until the test ends, with dir as its working
// directory.
func startServer(t *testing.T, corefile, dir string, env []string) *netlab.Process {
	t.Helper()
	path, err := serverPath()
	if err != nil {
		t.Fatal(err)
	}
	return netlab.StartServer(t, netlab.Server{Binary: path, Corefile: corefile, Dir: dir, Env: env, Complaint: complaint})
}

// awaitReady waits until the server says that it is ready, if it has the plugin
// to say so, and answers. It returns a client of it.
func awaitReady(t *testing.T, p *netlab.Process, corefile string) client {
	t.Helper()
	saysReady := readiness.MatchString(corefile)
	if saysReady {
		p.Eventually(t, netlab.Ready(readyAddr))
	}
	c := client{source: clientAddr, server: serverAddr}
	p.Eventually(t, func(context.Context) (err error) {
		c.port, err = ports(p, corefile)
		return err
	})
	for network := range c.port {
		p.Eventually(t, func(ctx context.Context) error { return probe(ctx, c, network, saysReady) })
	}
	return c
}

// probe asks for a name that no case asks for. Only a server that has not said
// that it is ready may have nothing to answer from.
func probe(ctx context.Context, c client, network string, saysReady bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	reply, err := c.ask(ctx, network, "probe.cluster.local.", dns.TypeA)
	if err == nil && reply.Rcode == dns.RcodeServerFailure && !saysReady {
		return fmt.Errorf("no data yet:\n%s", reply)
	}
	return err
}
