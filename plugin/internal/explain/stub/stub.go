// Package stub takes the way of a look-up as the stub resolvers of C libraries do.
package stub

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/explain/inprocess"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/resolvconf"
)

// Outcome is what a resolver makes of the replies to one name.
type Outcome int

// What it may make of them.
const (
	Next   Outcome = iota // it asks for the next name
	Found                 // it has what it looks for
	Failed                // it gives up
	refers                // it asks for the name as it stands, and for no other
)

// Walk asks for one name after another, as a resolver with these settings does, and returns what it
// makes of the last replies. ask returns the replies to a name, one for each type.
func Walk(c *resolvconf.Conf, name string, l resolvconf.Libc, ask func(name string) []inprocess.Reply) Outcome {
	asIs, skips := dns.CanonicalName(name), false
	for _, now := range c.Names(name, l) {
		if skips && now != asIs {
			continue
		}
		switch o := outcome(l, ask(now)); o {
		case Found, Failed:
			return o
		case refers:
			skips = skips || now != asIs
		case Next:
		}
	}
	return Next
}

func outcome(l resolvconf.Libc, replies []inprocess.Reply) Outcome {
	has := func(is func(*inprocess.Reply) bool) bool {
		return slices.ContainsFunc(replies, func(r inprocess.Reply) bool { return is(&r) })
	}
	switch musl := l == resolvconf.Musl; {
	case musl && (has(fails) || has(silent)):
		return Failed
	case musl && has(denies):
		return Next
	case Answered(replies):
		return Found
	case musl, has(silent), has((*inprocess.Reply).EndsSearch): // NODATA ends musl's search
		return Failed
	case !has(func(r *inprocess.Reply) bool { return !refuses(r) }):
		return refers
	}
	return Next
}

func silent(r *inprocess.Reply) bool { return r.Rcode == "none" }
func fails(r *inprocess.Reply) bool  { return r.Rcode == "SERVFAIL" }
func denies(r *inprocess.Reply) bool { return r.Rcode == "NXDOMAIN" }

// refuses reports whether glibc leaves the rest of the search path out if it gets nothing but such
// replies, REFUSED for one (seen with 2.36).
func refuses(r *inprocess.Reply) bool {
	return r.Rcode != "NOERROR" && !denies(r) && !fails(r)
}

// Answered reports whether a reply has records of the type that is asked for.
func Answered(replies []inprocess.Reply) bool {
	return slices.ContainsFunc(replies, func(r inprocess.Reply) bool { return r.Answers() })
}
