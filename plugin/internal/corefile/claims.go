package corefile

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"unsafe"

	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// asked is a question of a client, as the plugins ahead see it.
type asked struct {
	question *answer.Question
	client   netip.Addr
	name     []byte // presentation form, in lower case; empty until it is needed
	escaped  bool   // the name needs an escape
	memory   [256]byte
}

// claim reports whether a plugin ahead may answer, change or refuse a question.
type claim func(*asked) bool

// text returns the name as plugins compare it: in lower case, with the last dot. It reports
// false for a name that needs an escape. The text is valid as long as the question is.
func (a *asked) text() (string, bool) {
	if len(a.name) == 0 && !a.escaped {
		text, ok := a.question.AppendText(a.memory[:0])
		if len(text) == 0 {
			text = append(text, '.')
		}
		a.name, a.escaped = text, !ok
	}
	return unsafe.String(unsafe.SliceData(a.name), len(a.name)), !a.escaped
}

// questions are memory, so that a question costs no allocation.
var questions = sync.Pool{New: func() any { return new(asked) }}

// claimed returns whether any of the claims holds for a question, or nil without claims.
func claimed(claims []claim) func(*answer.Question, netip.Addr) bool {
	if len(claims) == 0 {
		return nil
	}
	return func(q *answer.Question, client netip.Addr) bool {
		a := questions.Get().(*asked)
		defer questions.Put(a)
		a.question, a.client, a.name, a.escaped = q, client, nil, false
		for _, c := range claims {
			if c(a) {
				return true
			}
		}
		return false
	}
}

// add leaves the questions of a claim to the plugin. It fails with the reason if those are
// all questions for names of ours.
func (rc *ruleContext) add(c claim, reason string) error {
	if rc.isAll(c) {
		return errors.New(reason)
	}
	rc.conditions.claims = append(rc.conditions.claims, c)
	return nil
}

// isAll tries a claim with names and clients that no rule has in mind.
func (rc *ruleContext) isAll(c claim) bool {
	all := claimed([]claim{c})
	for _, o := range rc.origins {
		for _, label := range []string{"q", "w-7.k9"} {
			var q answer.Question
			if _, err := q.ParseText(dnsname.Below(o.String(), label)); err != nil {
				continue
			}
			for _, q.Type = range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeTXT} {
				if !all(&q, netip.AddrFrom4([4]byte{198, 51, 100, 77})) || !all(&q, netip.IPv6Unspecified()) {
					return false
				}
			}
		}
	}
	return true
}

// ofType returns the claim to questions of some types.
func ofType(types ...uint16) claim {
	return func(a *asked) bool {
		for _, t := range types {
			if a.question.Type == t {
				return true
			}
		}
		return false
	}
}

// ofName returns the claim to names that a function selects. Nothing is known of a name that
// needs an escape.
func ofName(selects func(name string) bool) claim {
	return func(a *asked) bool {
		name, ok := a.text()
		return !ok || selects(name)
	}
}

// match returns the claim to names that CoreDNS matches with a pattern, in one of the ways of
// the plugin rewrite.
func match(way, pattern string) (claim, error) {
	if way == "regex" {
		expression, err := compile(pattern)
		if err != nil {
			return nil, err
		}
		return ofName(expression.matches), nil
	}
	pattern = plugin.Name(pattern).Normalize()
	switch way {
	case "exact":
		return ofName(func(name string) bool { return name == pattern }), nil
	case "prefix":
		return ofName(func(name string) bool { return strings.HasPrefix(name, pattern) }), nil
	case "suffix":
		return ofName(func(name string) bool { return strings.HasSuffix(name, pattern) }), nil
	case "substring":
		return ofName(func(name string) bool { return strings.Contains(name, pattern) }), nil
	}
	return nil, errors.New("matches names in an unknown way, " + way)
}

// zonesOf parses the zones of a directive, or else those of the server block.
func (rc *ruleContext) zonesOf(args []string) (dnsname.Zones, error) {
	var zones dnsname.Zones
	for _, text := range plugin.OriginsFromArgsOrServerBlock(args, rc.keys) {
		zone, err := dnsname.ParseOrigin(text)
		if err != nil {
			return nil, err
		}
		zones = append(zones, zone)
	}
	if len(zones) == 0 {
		return nil, errors.New("for no zone")
	}
	return zones, nil
}
