package corefile

import (
	"errors"
	"fmt"
	"slices"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	coremetrics "github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/edns"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// rule is what is known of a plugin that may stand ahead of ours. The zero rule is that of a
// plugin that nothing is known of: it may change an answer, refuse it, or have to see it.
type rule struct {
	// pass is the reason why an answer from our sockets may pass the plugin by. It is empty if
	// none may.
	pass string
	// apply adds what such an answer has to heed to the conditions. An error says why the plugin,
	// as it is configured, lets no answer pass it by.
	apply func(*ruleContext) error
	// clear is set for a plugin that neither answers for names of ours nor changes or refuses
	// questions by their names. It may answer by a question's type or class.
	clear bool
	// atHand is set for a plugin that has in memory what it answers.
	atHand bool
	// signs is set for a plugin that signs answers.
	signs bool
	// waits is set for a plugin that may wait for something but the next plugin.
	waits bool
}

// rules is the table of the plugins that may stand ahead of ours.
var rules = map[string]rule{
	"any":          {clear: true, pass: "answers questions for ANY, which are handed over"},
	"autopath":     {pass: "completes names that do not exist, which are handed over", apply: applyAutopath},
	"bufsize":      {clear: true, pass: "bounds the size that a client may ask for, as is done here", apply: applyBufsize},
	"cache":        {clear: true, pass: "is not asked for what we have ourselves"},
	"cancel":       {clear: true, pass: "stops what takes long"},
	"chaos":        {clear: true, pass: "answers questions of class CH, which are handed over"},
	"dnssec":       {clear: true, signs: true},
	"dnstap":       {clear: true},
	"errors":       {clear: true, pass: "logs what fails, and an answer from here has not failed"},
	"geoip":        {clear: true, pass: "knows where a client is, for other plugins that are not in this table"},
	"header":       {clear: true},
	"hosts":        {atHand: true, pass: "answers for the names in its file, which are handed over", apply: applyHosts},
	"k8s_external": {atHand: true, pass: "answers for zones of its own, which are handed over", apply: applyZones},
	"loadbalance":  {clear: true, pass: "shuffles addresses, as is done here", apply: applyLoadbalance},
	"log":          {clear: true, pass: "writes about answers of some classes, which are handed over", apply: applyLog, waits: true},
	"metadata":     {clear: true, pass: "gathers what plugins say of a question, for others that are not in this table"},
	"minimal":      {clear: true},
	"nsid":         {clear: true, pass: "answers an EDNS option, with which questions are handed over", apply: applyNSID},
	"prometheus":   {clear: true, pass: "counts, as is done here", apply: applyPrometheus},
	"shed":         {clear: true, pass: "bounds the writes to CoreDNS's own socket, which do not happen"},
	"template":     {pass: "answers for zones of its own, which are handed over", apply: applyZones},
	"trace":        {clear: true},
	"transfer":     {clear: true, pass: "sends zones, for which questions are handed over"},
}

// Ahead returns the handlers of the directives before a directive of ours.
func Ahead(server *dnsserver.Config, directive string) []plugin.Handler {
	place := slices.Index(dnsserver.Directives, directive)
	return slices.DeleteFunc(server.Handlers(), func(h plugin.Handler) bool {
		return slices.Index(dnsserver.Directives, h.Name()) >= place
	})
}

// ClearOfNames reports whether no plugin ahead has a say in names of ours. Then a name that
// the snapshot has is answered from it, although the client asked for another.
func ClearOfNames(ahead []plugin.Handler) bool {
	return !slices.ContainsFunc(ahead, func(h plugin.Handler) bool { return !rules[h.Name()].clear })
}

// CacheServesOthers reports whether a plugin between the plugin cache and ours may look
// elsewhere for a name of ours, so that the cache is of use for names that we do not have.
func CacheServesOthers(ahead []plugin.Handler) bool {
	first := slices.IndexFunc(ahead, func(h plugin.Handler) bool { return h.Name() == "cache" })
	return first >= 0 && slices.ContainsFunc(ahead[first:], func(h plugin.Handler) bool {
		r := rules[h.Name()]
		return !r.clear && !r.atHand
	})
}

// Signs reports whether a plugin ahead signs answers for names of ours.
func Signs(ahead []plugin.Handler) bool {
	return slices.ContainsFunc(ahead, func(h plugin.Handler) bool { return rules[h.Name()].signs })
}

// Conditions is what an answer from our sockets has to heed for the plugins that it passes by.
type Conditions struct {
	Elsewhere  dnsname.Zones               // zones of ours whose names a plugin may answer for
	Claimed    func(*answer.Question) bool // reports whether a plugin answers for the name; nil if none does
	Repeats    func(option uint16) bool    // reports whether a reply may have to repeat an EDNS option
	NoDenials  bool                        // negative answers are handed over
	NoSearch   bool                        // questions for names that do not exist are handed over
	Shuffle    bool                        // addresses are in a random order
	MaxSize    uint16                      // a bound on the size that clients say they take; 0 for none
	Prometheus *coremetrics.Metrics        // counts answers; nil if nothing does
	Cache      bool                        // CoreDNS's cache may be asked by the goroutine that reads a socket
}

// Conditions returns what an answer from our sockets has to heed in a server block with these
// origins of ours. It fails if a plugin ahead has to see each question or answer.
func (b *Block) Conditions(ahead []plugin.Handler, origins []resolve.Origin) (*Conditions, error) {
	c := &Conditions{Repeats: edns.SupportedOption, Cache: asksCache(ahead)}
	for _, h := range ahead {
		r := rules[h.Name()]
		if r.pass == "" {
			return nil, fmt.Errorf("the plugin %s stands ahead, which may have to see or change what is answered", h.Name())
		}
		if r.apply == nil {
			continue
		}
		rc := &ruleContext{handler: h, tokens: b.Tokens[h.Name()], keys: b.Zones(), origins: origins, conditions: c}
		if err := r.apply(rc); err != nil {
			return nil, fmt.Errorf("the plugin %s stands ahead, %w", h.Name(), err)
		}
	}
	return c, nil
}

// asksCache reports whether a cache stands ahead, and nothing that waits.
func asksCache(ahead []plugin.Handler) bool {
	named := func(h plugin.Handler) bool { return h.Name() == "cache" }
	waits := func(h plugin.Handler) bool { return rules[h.Name()].waits }
	return slices.ContainsFunc(ahead, named) && !slices.ContainsFunc(ahead, waits)
}

// errKind is the error for a handler of another type than the plugin has in this version.
var errKind = errors.New("of a kind that is not known")
