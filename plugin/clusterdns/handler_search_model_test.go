package clusterdns

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin/pkg/dnstest"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
	"pgregory.net/rapid"
)

// stubModel models a stub resolver: it reports whether the search stops after the replies
// for A and AAAA of one element of the search path.
type stubModel func(a, aaaa *dns.Msg) (stop bool)

// stubModels are short models of real stub resolvers.
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

// hasAddress reports whether a reply has an answer, if only an alias: no resolver checks
// that.
func hasAddress(a, aaaa *dns.Msg) bool { return answers(a) || answers(aaaa) }

func answers(m *dns.Msg) bool { return m.Rcode == dns.RcodeSuccess && len(m.Answer) > 0 }

// search goes through the search path and returns the addresses of both families.
func (stops stubModel) search(ask func(name string, qtype uint16) *dns.Msg, base string) string {
	return stops.searchFor(ask, base, addressTypes)
}

// searchFor does the same for a client that asks for these types, one or both.
func (stops stubModel) searchFor(ask func(name string, qtype uint16) *dns.Msg, base string, types []uint16) (found string) {
	for _, suffix := range []string{ownSuffix, ".svc.cluster.local.", ".cluster.local.", ".corp.example.", "."} {
		var replies []*dns.Msg
		for _, t := range types {
			replies = append(replies, ask(base+suffix, t))
		}
		if !stops(replies[0], replies[len(replies)-1]) {
			continue
		}
		for _, m := range replies {
			found += addresses(m)
		}
		break
	}
	return found
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

// In any world, every resolver finds the addresses that it finds without completion.
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

// silencers are the replies of a plugin ahead of ours that suppresses a type for all names:
// template, or acl with its actions filter and block. REFUSED has the same effect as
// SERVFAIL.
var silencers = []string{"NOERROR", "NXDOMAIN", "SERVFAIL"}

// addressTypes are the types with which clients search.
var addressTypes = []uint16{dns.TypeA, dns.TypeAAAA}

// families are the types that clients ask for.
var families = [][]uint16{addressTypes, {dns.TypeA}, {dns.TypeAAAA}}

// TestA2SilencedTypes checks the same where a plugin ahead of ours, or the upstream,
// suppresses a type. A resolver that stops early without completion may find what other
// resolvers find.
func TestA2SilencedTypes(t *testing.T) {
	off := searchHandler(t, "search off", nil)
	on := searchHandler(t, "search names", nil)
	rapid.Check(t, func(t *rapid.T) {
		base := drawBase(t)
		rest := drawWorld(t, base)
		s := silence{rapid.SampledFrom(addressTypes).Draw(t, "type"), rapid.SampledFrom(silencers).Draw(t, "says"), rapid.Bool().Draw(t, "ahead")}
		if strings.HasSuffix(base, "cluster.local") || slices.Contains(slices.Collect(maps.Values(rest.names)), "SERVFAIL") {
			return // nobody else is asked for names of ours, and rule 4 has its own test
		}
		on.completer.AskAll = s.ahead
		types := rapid.SampledFrom(families).Draw(t, "family")
		all := stubModels["glibc, Go"].searchFor(s.asker(off, rest), base, types)
		for title, model := range stubModels {
			want := model.searchFor(s.asker(off, rest), base, types)
			if got := model.searchFor(s.asker(on, rest), base, types); got != want && (want != "" || got != all) {
				t.Errorf("%s: %s is at %q, want %q\n%v %+v", title, base, got, want, rest.names, s)
			}
		}
	})
}

// silence is a type that is suppressed, with the reply in its place.
type silence struct {
	qtype uint16
	says  string
	ahead bool // suppressed by a plugin ahead of ours, or otherwise for outside names only
}

// asker asks a server with a silenced type.
func (s silence) asker(d *ClusterDNS, rest *world) func(name string, qtype uint16) *dns.Msg {
	if !s.ahead {
		rest = &world{names: rest.names, silence: s}
		return asker(d, rest)
	}
	server := silenced{server{d, rest}, s}
	d.upstream = server
	return server.ask
}

// silenced is a server with a plugin ahead that suppresses a type.
type silenced struct {
	server
	silence
}

func (s silenced) Lookup(ctx context.Context, state request.Request, name string, qtype uint16) (*dns.Msg, error) {
	if qtype == s.qtype {
		return s.reply(name), nil
	}
	return s.server.Lookup(ctx, state, name, qtype)
}

func (s silenced) ask(name string, qtype uint16) *dns.Msg {
	m, err := s.Lookup(context.Background(), request.Request{}, name, qtype)
	if err != nil {
		panic(err) // the world is not well written
	}
	return m
}

// reply returns the reply in place of the suppressed type.
func (s silence) reply(name string) *dns.Msg {
	return new(dns.Msg).SetRcode(new(dns.Msg).SetQuestion(name, s.qtype), dns.StringToRcode[s.says])
}

// drawBase draws a name. A name of three labels that ends in a Namespace is one of the
// exceptions in doc/search-path.md.
func drawBase(t *rapid.T) string {
	label := rapid.SampledFrom([]string{"www", "web", "out", "gone", "db", "_http", "_tcp", "example"})
	last := rapid.SampledFrom([]string{"com", "shop", "shop.svc", "shop.svc.cluster.local", "cluster.local", "example", "web", "none"})
	base := label.Draw(t, "first") + "." + last.Draw(t, "last")
	if rapid.Bool().Draw(t, "three") && !strings.HasSuffix(base, ".shop") {
		base = label.Draw(t, "before") + "." + base
	}
	return base
}

// drawWorld draws which names exist outside: the base below the node's suffix, and as it
// is.
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

// server is a handler with the rest of a server.
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
