package documents

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/conformance/cases"
	"github.com/clusterdns/clusterdns/test/netlab"
)

// TestDocuments starts each published Corefile unchanged, in the repository's root, in an
// environment like that inside a cluster.
func TestDocuments(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a Kubernetes API server when it runs for the first time")
	}
	netlab.ReadSources(t)
	corefiles := publishedCorefiles(t)
	env := startCluster(t)
	startResolver(t)
	for _, c := range corefiles {
		t.Run(c.source, func(t *testing.T) { startServing(t, c.text, env) })
	}
}

// startServing returns the questions that show that each server block serves.
func startServing(t *testing.T, corefile string, env []string) []serving {
	t.Helper()
	servings, err := newServings(corefile)
	if err != nil {
		t.Fatal(err)
	}
	server := startServer(t, corefile, env)
	for _, s := range servings {
		server.Eventually(t, s.check)
	}
	return servings
}

// startResolver answers at the address in resolv.conf that no name exists. So a server gets
// answers to its own questions, such as those of the plugin loop, and no error is excused.
// Otherwise a server that listens at all addresses would have that address too: a loop.
func startResolver(t *testing.T) {
	t.Helper()
	const port = 53
	address := netip.AddrPortFrom(resolverAddr, port).String()
	netlab.ServeDNS(t, address, newUpstream(t, ". 3600 IN SOA . . 1 2 3 4 5"))
}

// TestDocumentsQuestions asks the demo the questions in README.
func TestDocumentsQuestions(t *testing.T) {
	if testing.Short() {
		t.Skip("has a network of its own, which is not made in short mode")
	}
	netlab.ReadSources(t)
	demo := startServing(t, readText(t, demo), nil)[0].client()
	for _, line := range demoQuestions(t) {
		t.Run(line, func(t *testing.T) { promises[line].ask(t, demo, line) })
	}
}

func (p promise) ask(t *testing.T, c cases.Client, line string) {
	question, err := parseQuestion(line)
	if err != nil {
		t.Fatal(err)
	}
	for qtype := range p.rdata {
		reply, err := c.Ask(t.Context(), "udp", question.Name, dns.StringToType[qtype])
		if err != nil {
			t.Fatal(err)
		}
		if err := p.compare(reply, qtype); err != nil {
			t.Error(err)
		}
	}
}
