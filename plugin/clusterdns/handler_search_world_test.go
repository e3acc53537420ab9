package clusterdns

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
)

// world is the rest of the server: replies by name and type, each a response code or
// records. A name without an entry is NXDOMAIN, a type without one is NODATA.
type world struct {
	mu    sync.Mutex
	names map[string]string
	asked []string
	silence
}

func (o *world) Lookup(_ context.Context, _ request.Request, name string, qtype uint16) (*dns.Msg, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, name+" "+dns.TypeToString[qtype])
	m := new(dns.Msg).SetQuestion(name, qtype)
	m.Response, m.RecursionAvailable, m.AuthenticatedData = true, true, true
	if o.qtype == qtype {
		return o.reply(name), nil
	}
	entry, ok := o.names[strings.ToLower(name)+" "+dns.TypeToString[qtype]]
	if !ok && !o.exists(name) {
		m.Rcode = dns.RcodeNameError
	}
	for line := range strings.SplitSeq(entry, "\n") {
		if rcode, ok := dns.StringToRcode[line]; ok {
			m.Rcode = rcode
		} else if line != "" {
			rr, err := dns.NewRR(line)
			if err != nil {
				return nil, err
			}
			m.Answer = append(m.Answer, rr)
		}
	}
	return m, nil
}

func (o *world) exists(name string) bool {
	for entry, reply := range o.names {
		if reply != "NXDOMAIN" && strings.HasPrefix(entry, strings.ToLower(name)+" ") {
			return true
		}
	}
	return false
}

// outside returns the outside world of most tests.
func outside() *world {
	return &world{names: map[string]string{
		"www.example.com. A":             "www.example.com. 60 A 192.0.2.1",
		"www.example.com. AAAA":          "www.example.com. 60 AAAA 2001:db8::1",
		"four.example.com. A":            "four.example.com. 60 A 192.0.2.4",
		"six.example.com. AAAA":          "six.example.com. 60 AAAA 2001:db8::6",
		"wiki.intranet.corp.example. A":  "wiki.intranet.corp.example. 300 A 192.0.2.7",
		"wiki.intranet. A":               "wiki.intranet. 300 A 192.0.2.66",
		"broken.test.corp.example. A":    "SERVFAIL",
		"broken.test.corp.example. AAAA": "SERVFAIL",
		"broken.test. A":                 "broken.test. 60 A 192.0.2.66",
		"refused.test.corp.example. A":   "REFUSED",
		"db. A":                          "db. 60 A 192.0.2.66",
	}}
}

// searchHandler returns a handler that completes names, with the node's suffix
// corp.example.
func searchHandler(t *testing.T, properties string, rest *world) *ClusterDNS {
	t.Helper()
	cfg, err := parseText(t, "clusterdns cluster.local in-addr.arpa {\n ttl 30\n "+properties+"\n}")
	if err != nil {
		t.Fatal(err)
	}
	d := podHandler(t, "clusterdns cluster.local in-addr.arpa")
	d.view, d.fall, d.upstream = cfg.view, cfg.fall, rest
	d.completer = newCompleter(cfg, d, []string{"corp.example.", "kube-system.svc.cluster.local."})
	d.Next = plugin.HandlerFunc(func(context.Context, dns.ResponseWriter, *dns.Msg) (int, error) { return nextRcode, nil })
	return d
}

// dig asks from an address and returns the reply as text: code, answer, and how many
// records the other sections have.
func dig(t *testing.T, d *ClusterDNS, addr, name string, qtype uint16) (string, *dns.Msg) {
	t.Helper()
	r := new(dns.Msg).SetQuestion(name, qtype)
	w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: addr})
	if _, err := d.ServeDNS(context.Background(), w, r); err != nil {
		t.Fatal(err)
	}
	return shown(w.Msg), w.Msg
}

func shown(m *dns.Msg) string {
	if m == nil {
		return "next"
	}
	parts := []string{dns.RcodeToString[m.Rcode]}
	for _, rr := range m.Answer {
		data := strings.TrimPrefix(rr.String(), rr.Header().String())
		parts = append(parts, fmt.Sprintf("%s=%s", dns.TypeToString[rr.Header().Rrtype], data))
	}
	return strings.Join(parts, " ")
}
