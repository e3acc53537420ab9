package explain

import (
	"bytes"
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/commands"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// watchedNames are names of each kind: in the cluster, below a Service, reverse, outside, and not there.
var watchedNames = []string{
	"api.shop.svc.cluster.local.", "API.Shop.svc.cluster.local.", "ring.shop.svc.cluster.local.", "ring-0.ring.shop.svc.cluster.local.",
	"_gossip._tcp.ring.shop.svc.cluster.local.", "old.shop.svc.cluster.local.", "db.shop.svc.cluster.local.", "queue.data.svc.cluster.local.",
	"shop.svc.cluster.local.", "nothing.shop.svc.cluster.local.", "10-1-0-8.shop.pod.cluster.local.", "cluster.local.", "dns-version.cluster.local.",
	"7.0.96.10.in-addr.arpa.", "99.0.96.10.in-addr.arpa.", "app.example.", "x.blocked.example.", "www.example.org.", ".",
}

// ways are the ways in which a question is asked.
var ways = map[string]func(*dns.Msg){
	"plain":        func(*dns.Msg) {},
	"with EDNS":    func(m *dns.Msg) { m.SetEdns0(1232, true) },
	"with little":  func(m *dns.Msg) { m.SetEdns0(512, false) },
	"without RD":   func(m *dns.Msg) { m.RecursionDesired = false },
	"of class ANY": func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassANY },
	"of class CH":  func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS },
	"with a cookie": func(m *dns.Msg) {
		m.SetEdns0(4096, false)
		m.IsEdns0().Option = []dns.EDNS0{&dns.EDNS0_COOKIE{Code: dns.EDNS0COOKIE, Cookie: "0123456789abcdef"}}
	},
}

// TestWatchedAnswers: the properties that look at questions change no answer, neither at the sockets nor in the chain.
func TestWatchedAnswers(t *testing.T) {
	dir := world(t)
	for _, ahead := range []string{"", "log\n", "cache 30\n"} { // answered at the sockets, by the chain, beside a cache
		ahead += "rewrite name exact app.example api.shop.svc.cluster.local answer auto\n template ANY ANY blocked.example {\n rcode NXDOMAIN\n }"
		corefile := func(properties string) string {
			text := served(dir, ahead, "pods verified\n  fallthrough in-addr.arpa\n  "+properties)
			return strings.Replace(text, "kubernetes cluster.local", "kubernetes cluster.local in-addr.arpa", 1)
		}
		off := coredns.StartTest(t, corefile(""))
		on := coredns.StartTest(t, corefile("top\n  explain"))
		off.AwaitServing()
		on.AwaitServing()
		n := 0
		for _, name := range watchedNames {
			for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypePTR, dns.TypeSOA, dns.TypeNS, dns.TypeTXT, dns.TypeHTTPS, dns.TypeANY} {
				for way, change := range ways {
					question := new(dns.Msg).SetQuestion(name, qtype)
					change(question)
					for _, network := range []string{"udp", "tcp"} {
						if network == "tcp" && way != "plain" && way != "with EDNS" {
							continue // the two networks differ in what they ask for, not in how it is answered
						}
						want, got := reply(t, off, network, question), reply(t, on, network, question)
						if diff := cmp.Diff(want, got); diff != "" {
							t.Errorf("%s %s %s over %s, off (-), on (+):\n%s", name, dns.TypeToString[qtype], way, network, diff)
						}
						n++
					}
				}
			}
		}
		t.Logf("%d questions to each", n)
		var out, errOut bytes.Buffer
		code := commands.Top([]string{"-n", "1", "-o", "json", "-server", strconv.Itoa(os.Getpid())}, &out, &errOut)
		var counted struct{ Questions int }
		if err := json.Unmarshal(out.Bytes(), &counted); err != nil || code != 0 || counted.Questions == 0 {
			t.Errorf("nothing was counted: exit code %d, %v\n%s%s", code, err, out.String(), errOut.String())
		}
		off.Stop()
		on.Stop()
	}
}

// reply returns a reply in words, without what differs between two servers.
func reply(t *testing.T, s *coredns.Server, network string, question *dns.Msg) string {
	t.Helper()
	address := s.UDP()
	if network == "tcp" {
		address = s.TCP()
	}
	m, _, err := coredns.Client(network).Exchange(question.Copy(), address)
	if err != nil {
		return err.Error()
	}
	for _, section := range [][]dns.RR{m.Answer, m.Ns, m.Extra} {
		for _, rr := range section {
			if soa, is := rr.(*dns.SOA); is {
				soa.Serial = 0
			}
			if _, is := rr.(*dns.OPT); !is {
				rr.Header().Ttl = min(rr.Header().Ttl, 25) // a cache has counted some seconds down
			}
		}
	}
	return m.String()
}
