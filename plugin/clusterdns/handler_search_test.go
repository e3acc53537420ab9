package clusterdns

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
)

const ownSuffix = ".shop.svc.cluster.local."

// modes are the modes in which a Pod without settings gets the same answers.
var modes = []string{"search names", "search pods", "search pods none"}

func TestSearchCompletes(t *testing.T) {
	for _, tc := range []struct {
		base    string
		a, aaaa string
	}{
		{"www.example.com", "NOERROR CNAME=www.example.com. A=192.0.2.1", "NOERROR CNAME=www.example.com. AAAA=2001:db8::1"},
		{"four.example.com", "NOERROR CNAME=four.example.com. A=192.0.2.4", "NOERROR"},
		{"six.example.com", "NOERROR", "NOERROR CNAME=six.example.com. AAAA=2001:db8::6"},
		{"wiki.intranet", "NOERROR CNAME=wiki.intranet.corp.example. A=192.0.2.7", "NOERROR"},
		{"nowhere.example.com", "NXDOMAIN", "NXDOMAIN"},
		{"broken.test", "SERVFAIL", "SERVFAIL"},
		{"web.shop", "NOERROR CNAME=web.shop.svc.cluster.local. A=10.0.0.1", "NOERROR"},
		{"web.shop.svc.cluster.local", "NOERROR CNAME=web.shop.svc.cluster.local. A=10.0.0.1", "NOERROR"},
		{"no.shop.svc.cluster.local", "NXDOMAIN", "NXDOMAIN"},
		{"gone.drop", "NXDOMAIN", "NXDOMAIN"},
		{"web", "NOERROR A=10.0.0.1", "NOERROR"},
		{"db", "NXDOMAIN", "NXDOMAIN"},
		{"web-0.web", "NXDOMAIN", "NXDOMAIN"},
		{"_http._tcp.nothing", "NXDOMAIN", "NXDOMAIN"},
	} {
		for _, mode := range modes {
			d := searchHandler(t, mode, outside())
			for qtype, want := range map[uint16]string{dns.TypeA: tc.a, dns.TypeAAAA: tc.aaaa} {
				if got, _ := dig(t, d, podAddr, tc.base+ownSuffix, qtype); got != want {
					t.Errorf("%s: %s %s is\n%s, want\n%s", mode, tc.base, dns.TypeToString[qtype], got, want)
				}
			}
		}
	}
}

// When off, nothing is completed, and nothing is looked up.
func TestSearchIsOffUnlessAskedFor(t *testing.T) {
	for _, properties := range []string{"", "search off"} {
		rest := outside()
		if got, _ := dig(t, searchHandler(t, properties, rest), podAddr, "www.example.com"+ownSuffix, dns.TypeA); got != "NXDOMAIN" || len(rest.asked) > 0 {
			t.Errorf("%q: %s, asked %v", properties, got, rest.asked)
		}
	}
}

// Rule 1: every type and transport leads to the same element. A server may deny a name that
// only lacks the type: then the client gets the denial and goes on, as it would there.
func TestRule1OneDecision(t *testing.T) {
	rest := outside()
	rest.names["odd.test.corp.example. A"] = "NXDOMAIN"
	rest.names["odd.test.corp.example. AAAA"] = "odd.test.corp.example. 60 AAAA 2001:db8::7"
	rest.names["odd.test. A"] = "odd.test. 60 A 192.0.2.66"
	d := searchHandler(t, "search names", rest)
	for qtype, want := range map[uint16]string{
		dns.TypeA:     "NXDOMAIN",
		dns.TypeAAAA:  "NOERROR CNAME=odd.test.corp.example. AAAA=2001:db8::7",
		dns.TypeTXT:   "NOERROR",
		dns.TypeHTTPS: "NOERROR",
		dns.TypeSRV:   "NOERROR",
		dns.TypeCNAME: "NXDOMAIN",
		dns.TypeANY:   "NXDOMAIN",
	} {
		if got, _ := dig(t, d, podAddr, "odd.test"+ownSuffix, qtype); got != want {
			t.Errorf("%s is %s, want %s", dns.TypeToString[qtype], got, want)
		}
	}
}

// Rule 4: after a failure the search does not go on to another name.
func TestRule4FailuresArePassedOn(t *testing.T) {
	for base, want := range map[string]string{"broken.test": "SERVFAIL", "refused.test": "REFUSED"} {
		rest := outside()
		rest.names["refused.test. A"] = "refused.test. 60 A 192.0.2.66"
		got, m := dig(t, searchHandler(t, "search names", rest), podAddr, base+ownSuffix, dns.TypeA)
		if got != want || slices.Contains(rest.asked, base+". A") {
			t.Errorf("%s: %s, want %s, after asking for %v\n%s", base, got, want, rest.asked, m)
		}
	}
}

// Rule 5: the alias comes first, the chain is in order, and owners have one spelling.
func TestRule5OrderOfTheChain(t *testing.T) {
	rest := outside()
	rest.names["cdn.example.com. A"] = "edge.example.net. 60 A 192.0.2.9\nEDGE2.example.net. 30 CNAME edge.example.net.\n" +
		"cdn.EXAMPLE.com. 2 CNAME edge2.example.net.\nother.example. 60 A 192.0.2.66"
	rest.names["cdn.example.com. AAAA"] = "cdn.example.com. 60 CNAME edge.example.net."
	d := searchHandler(t, "search names", rest)
	got, m := dig(t, d, podAddr, "cdn.example.com"+ownSuffix, dns.TypeA)
	if want := "NOERROR CNAME=cdn.example.com. CNAME=edge2.example.net. CNAME=edge.example.net. A=192.0.2.9"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	owner := m.Question[0].Name
	for _, rr := range m.Answer {
		if rr.Header().Name != owner {
			t.Errorf("the owner is %s, want %s", rr.Header().Name, owner)
		}
		if alias, ok := rr.(*dns.CNAME); ok {
			owner = alias.Target
		}
	}
	// glibc would take an alias without addresses for an answer.
	if got, _ := dig(t, d, podAddr, "cdn.example.com"+ownSuffix, dns.TypeAAAA); got != "NOERROR" {
		t.Errorf("without addresses: %s", got)
	}
}

// Rule 6: only for a Pod's own Namespace is it known that its search path has it.
func TestRule6OnlyTheClientsOwnSuffix(t *testing.T) {
	for mode, want := range map[string]string{
		"search names":     "NOERROR CNAME=www.example.com. A=192.0.2.1",
		"search pods":      "NXDOMAIN",
		"search pods none": "NXDOMAIN",
	} {
		if got, _ := dig(t, searchHandler(t, mode, outside()), podAddr, "www.example.com.drop.svc.cluster.local.", dns.TypeA); got != want {
			t.Errorf("%s: another Namespace's suffix gives %s, want %s", mode, got, want)
		}
	}
	for mode, want := range map[string]string{
		"search pods":      "NOERROR CNAME=www.example.com. A=192.0.2.1",
		"search pods none": "NXDOMAIN",
	} {
		for _, addr := range []string{nodeAddr, "10.244.0.9"} {
			if got, _ := dig(t, searchHandler(t, mode, outside()), addr, "www.example.com"+ownSuffix, dns.TypeA); got != want {
				t.Errorf("%s: %s is no Pod's address and gets %s, want %s", mode, addr, got, want)
			}
		}
	}
}

// Rule 9: names that a client may validate are left as they are, and the AD bit stays off.
func TestRule9Signatures(t *testing.T) {
	d := searchHandler(t, "search names", outside())
	_, m := dig(t, d, podAddr, "www.example.com"+ownSuffix, dns.TypeA)
	if m.AuthenticatedData {
		t.Error("AD is set")
	}
	for title, change := range map[string]func(*dns.Msg){
		"CD":             func(r *dns.Msg) { r.CheckingDisabled = true },
		"no recursion":   func(r *dns.Msg) { r.RecursionDesired = false },
		"rule 15: PTR":   func(r *dns.Msg) { r.Question[0].Qtype = dns.TypePTR },
		"another opcode": func(r *dns.Msg) { r.Opcode = dns.OpcodeNotify },
	} {
		r := new(dns.Msg).SetQuestion("www.example.com"+ownSuffix, dns.TypeA)
		change(r)
		w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: podAddr})
		if _, err := d.ServeDNS(context.Background(), w, r); err != nil || w.Msg.Rcode != dns.RcodeNameError {
			t.Errorf("%s: %v\n%s", title, err, w.Msg)
		}
	}
}

// TestP6DOAlone: the alias has no signature, as the zone has none, and the records behind
// it keep theirs. If a plugin ahead signs our zones, it signs the alias too.
func TestP6DOAlone(t *testing.T) {
	rest := outside()
	const signature = "www.example.com. 60 RRSIG A 13 3 60 20361228213225 20251128213225 1 example.com. AAAA"
	rest.names["www.example.com. A"] += "\n" + signature + "\n" + "www.example.com. 60 RRSIG AAAA 13 3 60 20361228213225 20251128213225 1 example.com. AAAA"
	d := searchHandler(t, "search names", rest)
	r := new(dns.Msg).SetQuestion("www.example.com"+ownSuffix, dns.TypeA).SetEdns0(1232, true)
	for _, signed := range []bool{false, true} {
		d.completer.Signed = signed
		w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: podAddr})
		if _, err := d.ServeDNS(context.Background(), w, r); err != nil {
			t.Fatal(err)
		}
		want := "NOERROR CNAME=www.example.com. A=192.0.2.1 RRSIG=A 13 3 60 20361228213225 20251128213225 1 example.com. AAAA"
		if signed {
			want = "NXDOMAIN"
		}
		if got := shown(w.Msg); got != want || w.Msg.AuthenticatedData {
			t.Errorf("signed %v: got\n%s\nwant\n%s", signed, got, want)
		}
	}
}

// Rule 11: an empty answer shows that the server can be trusted.
func TestRule11EmptyAnswers(t *testing.T) {
	d := searchHandler(t, "search names", outside())
	for _, base := range []string{"four.example.com", "web.shop"} {
		_, m := dig(t, d, podAddr, base+ownSuffix, dns.TypeAAAA)
		if !m.Authoritative && !m.RecursionAvailable || len(m.Ns) != 1 {
			t.Errorf("%s: neither AA nor RA, or no SOA:\n%s", base, m)
		}
	}
}

// Rule 12: no TTL is larger than five seconds.
func TestRule12TTL(t *testing.T) {
	rest := outside()
	rest.names["short.example.com. A"] = "short.example.com. 2 A 192.0.2.1"
	d := searchHandler(t, "search names", rest)
	for base, want := range map[string]uint32{"www.example.com": 5, "short.example.com": 2, "web.shop": 5} {
		if _, m := dig(t, d, podAddr, base+ownSuffix, dns.TypeA); m.Answer[0].Header().Ttl != want {
			t.Errorf("%s: TTL %d, want %d", base, m.Answer[0].Header().Ttl, want)
		}
	}
	_, m := dig(t, d, podAddr, "four.example.com"+ownSuffix, dns.TypeAAAA)
	if soa := m.Ns[0].(*dns.SOA); soa.Hdr.Ttl != 5 || soa.Minttl != 5 {
		t.Errorf("an absence is kept for too long: %s", soa)
	}
	d.view.TTL = 0
	if _, m := dig(t, d, podAddr, "www.example.com"+ownSuffix, dns.TypeA); m.Answer[0].Header().Ttl != 0 {
		t.Errorf("the zone is not to be kept: %s", m.Answer[0])
	}
}

// Rule 13: the answer keeps the client's spelling.
func TestRule13LetterCase(t *testing.T) {
	d := searchHandler(t, "search names", outside())
	const name = "WWW.Example.Com.Shop.SVC.Cluster.local."
	got, m := dig(t, d, podAddr, name, dns.TypeA)
	if want := "NOERROR CNAME=WWW.Example.Com. A=192.0.2.1"; got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	if m.Question[0].Name != name || m.Answer[0].Header().Name != name || m.Answer[1].Header().Name != "WWW.Example.Com." {
		t.Errorf("the spelling was not kept:\n%s", m)
	}
}

// Rule 15: SRV is searched for, in the cluster.
func TestRule15SRV(t *testing.T) {
	d := searchHandler(t, "search names", outside())
	got, _ := dig(t, d, podAddr, "web.shop"+ownSuffix, dns.TypeSRV)
	if want := "NOERROR CNAME=web.shop.svc.cluster.local."; !strings.HasPrefix(got, want) && got != "NOERROR" {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestP6TypesOfTheZone: nobody looks up names of these types through the search path.
func TestP6TypesOfTheZone(t *testing.T) {
	for _, mode := range modes {
		rest := outside()
		d := searchHandler(t, mode, rest)
		for _, qtype := range []uint16{dns.TypeNS, dns.TypeSOA, dns.TypeDS, dns.TypeDNSKEY, dns.TypeCAA, dns.TypePTR} {
			for _, base := range []string{"www.example.com", "web.shop"} {
				if got, _ := dig(t, d, podAddr, base+ownSuffix, qtype); got != "NXDOMAIN" || len(rest.asked) > 0 {
					t.Errorf("%s: %s %s is %s, asked for %v", mode, base, dns.TypeToString[qtype], got, rest.asked)
				}
			}
		}
	}
}

func TestSearchAsksOnceForBothTypes(t *testing.T) {
	rest := outside()
	d := searchHandler(t, "search names", rest)
	dig(t, d, podAddr, "www.example.com"+ownSuffix, dns.TypeA)
	want := []string{"www.example.com.corp.example. A", "www.example.com.corp.example. AAAA", "www.example.com. A"}
	if !slices.Equal(rest.asked, want) {
		t.Errorf("asked for %v\nwant %v", rest.asked, want)
	}
}

func TestSearchFallsThrough(t *testing.T) {
	rest := outside()
	rest.names["known.next.shop.svc.cluster.local. A"] = "known.next.shop.svc.cluster.local. 60 A 192.0.2.8"
	d := searchHandler(t, "search names\n fallthrough", rest)
	if got, _ := dig(t, d, podAddr, "known.next"+ownSuffix, dns.TypeA); got != "next" {
		t.Errorf("a name that the next plugin knows: %s", got)
	}
	if got, _ := dig(t, d, podAddr, "www.example.com"+ownSuffix, dns.TypeA); got != "NOERROR CNAME=www.example.com. A=192.0.2.1" {
		t.Errorf("a name that the next plugin does not know: %s", got)
	}
}

// Clients share the look-ups for their questions, and nothing else.
func TestSearchServesManyAtOnce(t *testing.T) {
	d := searchHandler(t, "search names", outside())
	var asking sync.WaitGroup
	for range 8 {
		for qtype, want := range map[uint16]string{
			dns.TypeA:    "NOERROR CNAME=www.example.com. A=192.0.2.1",
			dns.TypeAAAA: "NOERROR CNAME=www.example.com. AAAA=2001:db8::1",
		} {
			asking.Go(func() {
				for range 50 {
					if got, _ := dig(t, d, podAddr, "www.example.com"+ownSuffix, qtype); got != want {
						t.Errorf("got %s, want %s", got, want)
						return
					}
				}
			})
		}
	}
	asking.Wait()
}

// A client that is known because of searching is known to metadata too.
func TestMetadataOfSearchingClients(t *testing.T) {
	for mode, want := range map[string]string{"search off": "", "search names": "", "search pods": "shop", "search pods none": "shop"} {
		d := searchHandler(t, mode, outside())
		if got := valuesOf(d, podAddr, "www.example.com"+ownSuffix)["kubernetes/client-namespace"]; got != want {
			t.Errorf("%s: the client's Namespace is %q, want %q", mode, got, want)
		}
		if got, ok := valuesOf(d, nodeAddr, "www.example.com.")["kubernetes/client-namespace"]; ok {
			t.Errorf("%s: a node's address is known to be in %q", mode, got)
		}
	}
}
