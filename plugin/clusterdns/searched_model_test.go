package clusterdns

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

// stubModel is what a stub resolver makes of the replies for A and AAAA of one element
// of its search path: whether it stops there.
type stubModel func(a, aaaa *dns.Msg) (stop bool)

// stubModels are the stub resolvers as they search, in short.
var stubModels = map[string]stubModel{
	"glibc, Go": hasAddress,
	"musl": func(a, aaaa *dns.Msg) bool {
		return hasAddress(a, aaaa) || a.Rcode != dns.RcodeNameError
	},
	"musl 1.2.4": func(a, aaaa *dns.Msg) bool {
		absent := a.Rcode == dns.RcodeNameError || aaaa.Rcode == dns.RcodeNameError
		return !absent || a.Rcode == dns.RcodeServerFailure || aaaa.Rcode == dns.RcodeServerFailure
	},
	"c-ares": func(a, aaaa *dns.Msg) bool {
		return hasAddress(a, aaaa) || a.Rcode == dns.RcodeServerFailure || aaaa.Rcode == dns.RcodeServerFailure
	},
}

// hasAddress says whether a reply has an answer. Nobody looks whether it is an alias.
func hasAddress(a, aaaa *dns.Msg) bool { return answers(a) || answers(aaaa) }

func answers(m *dns.Msg) bool { return m.Rcode == dns.RcodeSuccess && len(m.Answer) > 0 }

// search walks the search path and returns the addresses.
func (stops stubModel) search(ask func(name string, qtype uint16) *dns.Msg, base string) string {
	for _, suffix := range []string{ownSuffix, ".svc.cluster.local.", ".cluster.local.", ".corp.example.", "."} {
		a, aaaa := ask(base+suffix, dns.TypeA), ask(base+suffix, dns.TypeAAAA)
		if stops(a, aaaa) {
			return addresses(a) + addresses(aaaa)
		}
	}
	return ""
}

func addresses(m *dns.Msg) string {
	var found []string
	for _, rr := range m.Answer {
		if rr.Header().Rrtype != dns.TypeCNAME && m.Rcode == dns.RcodeSuccess {
			found = append(found, strings.TrimPrefix(rr.String(), rr.Header().String())+" ")
		}
	}
	slices.Sort(found)
	return strings.Join(found, "")
}

// In whatever world, every resolver finds the addresses that it finds without
// completion.
func TestSearchChangesNoResult(t *testing.T) {
	off := searchHandler(t, "search off", nil)
	byMode := map[string]*ClusterDNS{}
	for _, mode := range modes {
		byMode[mode] = searchHandler(t, mode, nil)
	}
	rapid.Check(t, func(t *rapid.T) {
		base := drawBase(t)
		rest := drawWorld(t, base)
		for title, model := range stubModels {
			want := model.search(asker(off, rest), base)
			for mode, d := range byMode {
				if got := model.search(asker(d, rest), base); got != want {
					t.Errorf("%s, %s: %s is at %q, want %q\n%v", title, mode, base, got, want, rest.names)
				}
			}
		}
	})
}

// drawBase draws a name. One of three labels that ends in a Namespace is among the
// exceptions that README lists.
func drawBase(t *rapid.T) string {
	label := rapid.SampledFrom([]string{"www", "web", "out", "gone", "db", "_http", "_tcp", "example"})
	last := rapid.SampledFrom([]string{"com", "shop", "shop.svc", "shop.svc.cluster.local", "cluster.local", "example", "web", "none"})
	base := label.Draw(t, "first") + "." + last.Draw(t, "last")
	if rapid.Bool().Draw(t, "three") && !strings.HasSuffix(base, ".shop") {
		base = label.Draw(t, "before") + "." + base
	}
	return base
}

// drawWorld draws what there is of the name outside: below the node's suffix, and as
// it is.
func drawWorld(t *rapid.T, base string) *world {
	rest := &world{names: map[string]string{"www.example.com. A": "www.example.com. 60 A 192.0.2.1"}}
	state := rapid.SampledFrom([]string{"absent", "A", "AAAA", "both", "TXT", "SERVFAIL"})
	for _, name := range []string{base + ".corp.example.", base + "."} {
		if strings.Contains(name, "cluster.local.") {
			continue // is not outside, or an exception as well
		}
		switch s := state.Draw(t, name); s {
		case "SERVFAIL":
			rest.names[name+" A"], rest.names[name+" AAAA"] = s, s
		case "TXT":
			rest.names[name+" TXT"] = name + ` 60 TXT "text"`
		case "A", "both":
			rest.names[name+" A"] = name + " 60 A 192.0.2.9"
			if s == "both" {
				rest.names[name+" AAAA"] = name + " 60 AAAA 2001:db8::9"
			}
		case "AAAA":
			rest.names[name+" AAAA"] = name + " 60 AAAA 2001:db8::8"
		}
	}
	return rest
}

// server is a handler with the rest of a server around it.
type server struct {
	d    *ClusterDNS
	rest *world
}

// asker asks a server that forwards to the world.
func asker(d *ClusterDNS, rest *world) func(name string, qtype uint16) *dns.Msg {
	s := server{d, rest}
	d.upstream = s
	return func(name string, qtype uint16) *dns.Msg {
		m, err := s.Lookup(context.Background(), request.Request{}, name, qtype)
		if err != nil {
			panic(err) // the world is not well written
		}
		return m
	}
}

func (s server) Lookup(ctx context.Context, state request.Request, name string, qtype uint16) (*dns.Msg, error) {
	r := new(dns.Msg).SetQuestion(name, qtype)
	w := dnstest.NewRecorder(&test.ResponseWriter{RemoteIP: podAddr})
	if rcode, err := s.d.ServeDNS(ctx, w, r); err != nil || rcode != nextRcode {
		return w.Msg, err
	}
	return s.rest.Lookup(ctx, state, name, qtype)
}
