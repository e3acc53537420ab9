package conformance

import (
	"net"
	"net/netip"
	"testing"

	"github.com/coredns/coredns/plugin/pkg/reuseport"
	"github.com/miekg/dns"
)

// TestDocuments starts each Corefile that is published, letter for letter, in the
// repository's root, with what a server has inside a cluster.
func TestDocuments(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a Kubernetes API server when it runs for the first time")
	}
	readSources(t)
	corefiles := publishedCorefiles(t)
	env := startCluster(t).inClusterEnv(t)
	startResolver(t)
	for _, c := range corefiles {
		t.Run(c.source, func(t *testing.T) { startServing(t, c.text, env) })
	}
}

// startServing returns what shows that each server block serves, when it does.
func startServing(t *testing.T, corefile string, env []string) []serving {
	t.Helper()
	servings, err := newServings(corefile)
	if err != nil {
		t.Fatal(err)
	}
	server := startServer(t, corefile, root, env)
	for _, s := range servings {
		server.eventually(t, s.check)
	}
	return servings
}

// startResolver answers at the address in resolv.conf that no name exists. So a
// server lacks nothing that it asks for by itself, as the plugin loop does, and no
// error is excused. Without it the address would be that of a server that listens
// at all of them: a loop.
func startResolver(t *testing.T) {
	t.Helper()
	const port = 53
	address := netip.AddrPortFrom(resolverAddr, port).String()
	listener, conn := listenBeside(t, address)
	newUpstream(t, ". 3600 IN SOA . . 1 2 3 4 5").serve(t, listener, conn)
}

// listenBeside listens at one address of a port that a server may have at all
// addresses, as CoreDNS does: with SO_REUSEPORT, which both must set.
func listenBeside(t *testing.T, address string) (net.Listener, net.PacketConn) {
	t.Helper()
	listener, err := reuseport.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := reuseport.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	return listener, conn
}

// TestDocumentsQuestions asks the demo what README asks.
func TestDocumentsQuestions(t *testing.T) {
	if testing.Short() {
		t.Skip("needs the namespaces")
	}
	readSources(t)
	demo := startServing(t, readText(t, demo), nil)[0].client
	for _, line := range demoQuestions(t) {
		t.Run(line, func(t *testing.T) { promises[line].ask(t, demo, line) })
	}
}

func (p promise) ask(t *testing.T, c client, line string) {
	question, err := parseQuestion(line)
	if err != nil {
		t.Fatal(err)
	}
	for qtype := range p.rdata {
		reply, err := c.ask(t.Context(), "udp", question.Name, dns.StringToType[qtype])
		if err != nil {
			t.Fatal(err)
		}
		if err := p.compare(reply, qtype); err != nil {
			t.Error(err)
		}
	}
}
