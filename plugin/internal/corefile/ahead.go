package corefile

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	coremetrics "github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/edns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// rule says how to treat a plugin that may stand ahead of ours. The zero rule is for an
// unknown plugin: it may change an answer, refuse it, or need to see it.
type rule struct {
	// pass is the reason why an answer from our sockets need not pass through the plugin.
	// It is empty if every answer must.
	pass string
	// apply adds the conditions under which such an answer may be given. An error says why
	// the plugin, as it is configured, must see every answer.
	apply func(*ruleContext) error
	// clear is set for a plugin that neither answers for names of ours nor changes or
	// refuses questions by their names. It may answer by a question's type or class.
	clear bool
	// atHand is set for a plugin that answers from memory.
	atHand bool
	// signs is set for a plugin that signs answers.
	signs bool
	// waits is set for a plugin that may wait for anything but the next plugin.
	waits bool
	// repeats is set for a plugin ahead of the cache that does nothing to a reply of the cache but
	// what is done for a kept one as well, whoever asks, if it does not claim the question.
	repeats bool
}

// rules has the plugins that may stand ahead of ours.
var rules = map[string]rule{
	"acl":          {pass: "refuses questions by type and client, which are handed over", apply: applyACL, repeats: true},
	"any":          {clear: true, pass: "answers questions for ANY, which are handed over", repeats: true},
	"autopath":     {pass: "completes names that do not exist, which are handed over", apply: applyAutopath, repeats: true},
	"bufsize":      {clear: true, pass: "bounds the size that a client may ask for, as is done here", apply: applyBufsize, repeats: true},
	"cache":        {clear: true, pass: "is not asked for what we have ourselves"},
	"cancel":       {clear: true, pass: "stops what takes long", repeats: true},
	"chaos":        {clear: true, pass: "answers questions of class CH, which are handed over", repeats: true},
	"dns64":        {pass: "makes addresses for names without any, whose questions are handed over", apply: applyDNS64, waits: true, repeats: true},
	"dnssec":       {clear: true, signs: true},
	"dnstap":       {clear: true},
	"errors":       {clear: true, pass: "logs what fails, and an answer from here has not failed", repeats: true},
	"geoip":        {clear: true, pass: "knows where a client is, for other plugins that are not in this table", repeats: true},
	"header":       {clear: true, pass: "sets flags, which replies from here have anyway", apply: applyHeader},
	"hosts":        {atHand: true, pass: "answers for the names in its file, which are handed over", apply: applyHosts},
	"k8s_external": {atHand: true, pass: "answers for zones of its own, which are handed over", apply: applyZones},
	"k8s_gateway":  {atHand: true, pass: "answers for zones of its own, at the sockets too where it can", apply: applyZones},
	"loadbalance":  {clear: true, pass: "shuffles addresses, as is done here", apply: applyLoadbalance, repeats: true},
	"local":        {pass: "answers for the machine's own names, which are handed over", apply: applyLocal, repeats: true},
	"log":          {clear: true, pass: "writes about some answers, which are handed over", apply: applyLog, waits: true, repeats: true},
	"metadata":     {clear: true, pass: "gathers what plugins say of a question, for others that are not in this table", repeats: true},
	"minimal":      {clear: true, pass: "drops additional records, and questions for those are handed over", apply: applyMinimal},
	"nsid":         {clear: true, pass: "answers an EDNS option, with which questions are handed over", apply: applyNSID, repeats: true},
	"prometheus":   {clear: true, pass: "counts, as is done here", apply: applyPrometheus, repeats: true},
	"rewrite":      {pass: "changes questions that its rules match, which are handed over", apply: applyRewrite, repeats: true},
	"shed":         {clear: true, pass: "bounds the writes to CoreDNS's own socket, which do not happen", repeats: true},
	"template":     {pass: "answers questions of its class, type and zones, which are handed over", apply: applyTemplate},
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

// FirstWithName returns the first of the handlers ahead that sees a question's name as it is looked
// up, nil if none does: plugins may have changed it before.
func FirstWithName(ahead []plugin.Handler) plugin.Handler {
	settled := max(slices.Index(dnsserver.Directives, "rewrite"), slices.Index(dnsserver.Directives, "autopath"), slices.Index(dnsserver.Directives, "acl"))
	for _, h := range ahead {
		if slices.Index(dnsserver.Directives, h.Name()) > settled {
			return h
		}
	}
	return nil
}

// ClearOfNames reports whether no plugin ahead may answer for, change or refuse names of
// ours. Then completion may answer from the snapshot for a name other than the one in the
// question.
func ClearOfNames(ahead []plugin.Handler) bool {
	return !slices.ContainsFunc(ahead, func(h plugin.Handler) bool { return !rules[h.Name()].clear })
}

// CacheServesOthers reports whether a plugin between the plugin cache and ours may look up
// a name of ours elsewhere, so that the cache is useful for names that we do not have.
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

// Conditions are what an answer from our sockets must satisfy because of the plugins that
// it does not pass through.
type Conditions struct {
	Elsewhere dnsname.Zones // zones of ours whose names a plugin may answer for
	// Claimed reports whether a plugin may answer, change or refuse a client's question. It is
	// nil if none does.
	Claimed func(*answer.Question, netip.Addr) bool
	// Synthesized reports whether a plugin replaces a negative answer to a client's question
	// of a type, if the name exists. It is nil if none does.
	Synthesized func(qtype uint16, client netip.Addr) bool
	Allowed     *prometheus.CounterVec   // counts questions that are allowed, by server and view; may be nil
	Repeats     func(option uint16) bool // reports whether a reply may have to repeat an EDNS option
	NoDenials   bool                     // negative answers are handed over
	NoSearch    bool                     // questions for names that do not exist are handed over
	Shuffle     bool                     // addresses are given in random order
	MaxSize     uint16                   // upper bound of the size that a client accepts; 0 for none
	Prometheus  *coremetrics.Metrics     // counts answers; nil if nothing does
	Cache       bool                     // the goroutine that reads a socket may ask CoreDNS's cache
	Keeping     *Keeping                 // how replies of CoreDNS's cache may be kept; nil if they may not

	claims     []claim
	unrepeated bool // a plugin may do more to a reply of the cache, whoever asks
}

// Conditions returns the conditions for answers from our sockets in a server block with
// these origins of ours. It fails if a plugin ahead must see every question or answer.
func (b *Block) Conditions(ahead []plugin.Handler, origins []resolve.Origin) (*Conditions, error) {
	c := &Conditions{Repeats: edns.SupportedOption, Cache: asksCache(ahead)}
	for _, h := range ahead {
		r := rules[h.Name()]
		if r.pass == "" {
			return nil, b.Obstacle(h.Name(), fmt.Errorf("the plugin %s stands ahead and may have to see or change answers", h.Name()))
		}
		if r.apply == nil {
			continue
		}
		rc := &ruleContext{handler: h, tokens: b.Tokens[h.Name()], keys: b.Zones(), origins: origins, conditions: c}
		if err := r.apply(rc); err != nil {
			return nil, b.obstacle(rc, fmt.Errorf("the plugin %s stands ahead, %w", h.Name(), err))
		}
	}
	c.Claimed = claimed(c.claims)
	if !c.unrepeated {
		c.Keeping = b.keeping(ahead)
	}
	return c, nil
}

// asksCache reports whether a cache stands ahead, and no plugin that may wait.
func asksCache(ahead []plugin.Handler) bool {
	named := func(h plugin.Handler) bool { return h.Name() == "cache" }
	waits := func(h plugin.Handler) bool { return rules[h.Name()].waits }
	return slices.ContainsFunc(ahead, named) && !slices.ContainsFunc(ahead, waits)
}

// errKind is the error for a handler of an unexpected type, such as another version of the
// plugin has.
var errKind = errors.New("with a handler of an unknown type")
