package resolvers

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/netlab"
)

// searchList is the search list of a Pod in the Namespace app on a node with the suffix
// corp.example. The server has the same list, and finds the node's suffix in it.
const searchList = "app.svc.cluster.local svc.cluster.local cluster.local corp.example"

const manifests = `
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Namespace, metadata: {name: app}}
- apiVersion: v1
  kind: Service
  metadata: {name: db, namespace: app}
  spec: {clusterIP: 10.96.0.1}
- apiVersion: v1
  kind: Service
  metadata: {name: web, namespace: shop}
  spec: {clusterIP: 10.96.0.2, clusterIPs: [10.96.0.2, "fd00:96::2"]}
- apiVersion: v1
  kind: Service
  metadata: {name: mail, namespace: shop}
  spec: {type: ExternalName, externalName: www.example.com}
`

// client is the Pod of all clients, with the resolver settings of its manifest.
const client = `
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: app, uid: 00000000-0000-0000-0000-000000000001}
spec: {containers: [{name: c, image: i}], dnsConfig: {options: [{name: ndots, value: "%d"}]}}
status: {phase: Running, podIPs: [{ip: %s}]}
`

// outside are the names outside the cluster.
var outside = map[string][]string{
	"www.example.com.":            {"A 192.0.2.1", "A 192.0.2.2", "AAAA 2001:db8::1"},
	"example.org.":                {"A 192.0.2.3"},
	"four.example.com.":           {"A 192.0.2.4"},
	"six.example.com.":            {"AAAA 2001:db8::6"},
	"text.example.com.":           {"TXT text"},
	"cdn.example.com.":            {"CNAME edge.example.net.", "A 192.0.2.9", "AAAA 2001:db8::9"},
	"a.b.c.d.e.example.com.":      {"A 192.0.2.5"},
	"wiki.intranet.corp.example.": {"A 192.0.2.7"},
	"wiki.corp.example.":          {"A 192.0.2.8"},
}

// serveOutside answers like a resolver on the internet.
func serveOutside(t *testing.T) {
	t.Helper()
	address := net.JoinHostPort(upstreamAddr.String(), "53")
	netlab.ServeDNS(t, address, dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		if err := w.WriteMsg(answerOutside(r)); err != nil {
			t.Error(err)
		}
	}))
}

func answerOutside(r *dns.Msg) *dns.Msg {
	m := new(dns.Msg).SetReply(r)
	m.RecursionAvailable = true
	q := r.Question[0]
	name := strings.ToLower(q.Name)
	records, ok := outside[name]
	switch {
	case strings.Contains(name, "broken"):
		m.Rcode = dns.RcodeServerFailure
		return m
	case !ok:
		m.Rcode = dns.RcodeNameError
	}
	owner := q.Name
	for _, data := range records {
		rr, err := dns.NewRR(fmt.Sprintf("%s 60 IN %s", owner, data))
		if err != nil {
			panic(err)
		}
		if alias, ok := rr.(*dns.CNAME); ok {
			m.Answer, owner = append(m.Answer, rr), alias.Target
		} else if rr.Header().Rrtype == q.Qtype {
			m.Answer = append(m.Answer, rr)
		}
	}
	if len(m.Answer) == 0 {
		soa, err := dns.NewRR(". 60 IN SOA ns. host. 1 7200 1800 86400 60")
		if err != nil {
			panic(err)
		}
		m.Ns = []dns.RR{soa}
	}
	return m
}

// setResolvConf writes the resolv.conf of the client's Pod.
func setResolvConf(t *testing.T, ndots int) {
	t.Helper()
	// dig has a long timeout by default.
	text := fmt.Sprintf("nameserver %s\nsearch %s\noptions ndots:%d\n", dnsAddr, searchList, ndots)
	if err := os.WriteFile("/etc/resolv.conf", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// complaint matches lines that a server must not log if it has everything it needs.
var complaint = regexp.MustCompile(`(?m)^.*(\[FATAL\]|^panic: |^fatal error: ).*$`)

const corefile = `
.:53 {
    bind %s
    errors
    ready %s:8181
    %s
    clusterdns cluster.local in-addr.arpa ip6.arpa {
        manifests %s
        fallthrough in-addr.arpa ip6.arpa
        %s
    }
    forward . %s
    cache 30
    loadbalance
}
`

// serveCluster starts the server at an address, with the properties and objects, and waits
// until it answers: the plugin ready may answer before any other plugin has started.
func serveCluster(t *testing.T, at netip.Addr, properties string, objects ...string) *netlab.Process {
	t.Helper()
	return serveBehind(t, at, "", properties, objects...)
}

// serveBehind starts the server with another plugin ahead of ours.
func serveBehind(t *testing.T, at netip.Addr, ahead, properties string, objects ...string) *netlab.Process {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "objects.yaml"), []byte(strings.Join(objects, "\n---\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	binary, err := filepath.Abs(builtServer)
	if err != nil {
		t.Fatal(err)
	}
	p := netlab.StartServer(t, netlab.Server{
		Binary:    binary,
		Corefile:  fmt.Sprintf(corefile, at, at, ahead, dir, properties, upstreamAddr),
		Complaint: complaint,
	})
	p.Eventually(t, netlab.Ready(at.String()+":8181"))
	p.Eventually(t, func(ctx context.Context) error { return probe(ctx, at) })
	return p
}

// probe sends a question that no client sends and no cache keeps.
func probe(ctx context.Context, at netip.Addr) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	m, err := dns.ExchangeContext(ctx, new(dns.Msg).SetQuestion("cluster.local.", dns.TypeSOA), net.JoinHostPort(at.String(), "53"))
	if err == nil && m.Rcode != dns.RcodeSuccess {
		err = fmt.Errorf("no data yet:\n%s", m)
	}
	return err
}
