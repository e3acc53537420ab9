package resolvers

import (
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/netlab"
)

// mixedZone has names that say what their A and AAAA records are: the first label below the node's
// suffix, the second of the name as it stands.
const mixedZone = ".mix.example"

// mixedReplies are the replies by the letter: data, no data, or a response code.
var mixedReplies = map[byte]int{
	'd': dns.RcodeSuccess, 'n': dns.RcodeSuccess, 'x': dns.RcodeNameError,
	's': dns.RcodeServerFailure, 'r': dns.RcodeRefused, 'i': dns.RcodeNotImplemented,
}

// answerMixed answers by the letters of the name. Both addresses of a name end in its number.
func answerMixed(r *dns.Msg) *dns.Msg {
	labels, number := dns.SplitDomainName(strings.ToLower(r.Question[0].Name)), "1"
	letters := labels[1]
	if strings.HasSuffix(r.Question[0].Name, ".corp.example.") {
		letters, number = labels[0], "2"
	}
	letter, data := letters[0], " 60 A 192.0.2."+number
	if r.Question[0].Qtype == dns.TypeAAAA {
		letter, data = letters[1], " 60 AAAA 2001:db8::"+number
	}
	m := new(dns.Msg).SetRcode(r, mixedReplies[letter])
	m.RecursionAvailable = true
	section, text := &m.Ns, ". 60 SOA ns. host. 1 7200 1800 86400 60"
	if letter == 'd' {
		section, text = &m.Answer, r.Question[0].Name+data
	}
	rr, err := dns.NewRR(text)
	if err != nil {
		panic(err)
	}
	*section = []dns.RR{rr}
	return m
}

// mixedNames returns a name for each choice of letters.
func mixedNames(letters string) (list []string) {
	list = []string{""}
	for range 4 {
		var longer []string
		for _, begun := range list {
			for _, letter := range letters {
				longer = append(longer, begun+string(letter))
			}
		}
		list = longer
	}
	for i, l := range list {
		list[i] = l[:2] + "." + l[2:] + mixedZone
	}
	return list
}

// TestA2MixedReplies looks up names that exist for one family and are denied, fail or have no data
// for the other, below the node's suffix and as they stand. What a resolver makes of that differs,
// and no resolver may find anything else with completion.
func TestA2MixedReplies(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles resolvers and asks for minutes, in a network of its own")
	}
	serveMixed(t)
	failing := strings.Fields("rr.dd rx.dd xr.dd rd.dd dr.xx sx.dd xs.dd ss.dd ii.dd xi.dd nr.dd sn.dd xx.rr xx.dr")
	for i := range failing {
		failing[i] += mixedZone
	}
	clients := compileAll(t).stubs(t)[:4]
	plain := mixedResults(t, clients, "search off", failing)
	for _, mode := range []string{"search names", "search pods"} {
		for key, got := range mixedResults(t, clients, mode, failing) {
			if want := plain[key]; got != want {
				t.Errorf("%s: %s has %q, want %q", mode, key, got, want)
			}
		}
	}
}

// serveMixed answers for the zone as an upstream, and writes a resolv.conf for clients that do not
// wait for long.
func serveMixed(t *testing.T) {
	address := net.JoinHostPort(upstreamAddr.String(), "53")
	netlab.ServeDNS(t, address, dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		answer := answerOutside
		if strings.Contains(r.Question[0].Name, mixedZone) {
			answer = answerMixed
		}
		if err := w.WriteMsg(answer(r)); err != nil {
			t.Error(err)
		}
	}))
	setResolvConf(t, 5)
	text, err := os.ReadFile("/etc/resolv.conf")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("/etc/resolv.conf", append(text, "options timeout:1\n"...), 0o644); err != nil {
		t.Fatal(err)
	}
}

// mixedResults returns the addresses that each look-up finds. musl waits for a while after each
// failure, so that it is asked for one family of these names.
func mixedResults(t *testing.T, clients []stub, mode string, failing []string) map[string]string {
	results := map[string]string{}
	t.Run(mode, func(t *testing.T) {
		serveCluster(t, dnsAddr, mode, manifests, fmt.Sprintf(client, 5, dnsAddr))
		for _, c := range clients {
			for _, name := range append(mixedNames("dnx"), failing...) {
				families := c.families
				if c.name == "musl" && strings.ContainsAny(name[:len("aa.bb")], "rsi") {
					families = both[:1]
				}
				for _, family := range families {
					results[c.name+" "+name+" "+family] = addrsIn(c.ask(t, name, family))
				}
			}
		}
	})
	return results
}
