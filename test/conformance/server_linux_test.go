package conformance

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/conformance/cases"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
	"github.com/clusterdns/clusterdns/test/netlab"
)

const readyAddr = "127.0.0.1:8181"

// readiness matches the Corefile's line of the plugin at readyAddr.
var readiness = regexp.MustCompile(`(?m)^\s*ready\s*$`)

// startServer runs the server until the test ends, with dir as its working
// directory.
func startServer(t *testing.T, corefile, dir string, env []string) *netlab.Process {
	t.Helper()
	path, err := serverPath()
	if err != nil {
		t.Fatal(err)
	}
	return netlab.StartServer(t, netlab.Server{Binary: path, Corefile: corefile, Dir: dir, Env: env, Complaint: netlab.Complaint})
}

// awaitReady waits until the server is ready by its plugin ready, if it has it, and
// answers. It returns a client of the server.
func awaitReady(t *testing.T, p *netlab.Process, corefile string) cases.Client {
	t.Helper()
	saysReady := readiness.MatchString(corefile)
	if saysReady {
		p.Eventually(t, netlab.Ready(readyAddr))
	}
	var open map[string]uint16
	p.Eventually(t, func(context.Context) (err error) {
		open, err = ports(p, corefile)
		return err
	})
	c := cases.Client{Dial: dialer(open)}
	for network := range open {
		p.Eventually(t, func(ctx context.Context) error { return probe(ctx, c, network, saysReady) })
	}
	return c
}

// probe asks for a name that is in no case. A server without data may fail only if it does
// not report that it is ready.
func probe(ctx context.Context, c cases.Client, network string, saysReady bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	reply, err := c.Ask(ctx, network, "probe.cluster.local.", dns.TypeA)
	if err == nil && reply.Rcode == dns.RcodeServerFailure && !saysReady {
		return fmt.Errorf("no data yet:\n%s", reply)
	}
	return err
}

// dialer connects from the client's address to the server's, by the network's port.
func dialer(ports map[string]uint16) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, network string) (net.Conn, error) {
		d := net.Dialer{LocalAddr: localAddr(network)}
		return d.DialContext(ctx, network, netip.AddrPortFrom(serverAddr, ports[network]).String())
	}
}

func localAddr(network string) net.Addr {
	if network == "tcp" {
		return &net.TCPAddr{IP: clientAddr.AsSlice()}
	}
	return &net.UDPAddr{IP: clientAddr.AsSlice()}
}

// startUpstream returns the address at which a zone file is served until the test
// ends.
func startUpstream(t *testing.T, zonefile string) (address string) {
	t.Helper()
	listener, conn, err := freeport.Listen("127.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	netlab.ServeOn(t, listener, conn, newUpstream(t, zonefile))
	return listener.Addr().String()
}

func newUpstream(t *testing.T, zonefile string) dns.Handler {
	t.Helper()
	u, err := cases.NewUpstream(zonefile)
	if err != nil {
		t.Fatal(err)
	}
	return u
}
