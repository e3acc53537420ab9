package clusterdns

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/bufsize"
	"github.com/coredns/coredns/plugin/hosts"
	coremetrics "github.com/coredns/coredns/plugin/metrics"
	"github.com/coredns/coredns/plugin/pkg/edns"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// judgement is what is asked about a plugin that stands ahead of ours.
type judgement struct {
	handler plugin.Handler
	tokens  []caddyfile.Token // of the directive
	keys    []string          // of the server block
	view    *zone.View
	server  *dnsserver.Server
	meter   blockMeter
	block   *udp.Block // what an answer from here has to mind
}

// rule is what is known of a plugin: why an answer of ours may pass it by, and what
// is to be minded. An error says why it may not.
type rule struct {
	why   string
	mind  func(*judgement) error
	waits bool // for something but the next plugin
}

// rules are the plugins that may stand ahead of ours. Any other keeps the fast path
// off: it may change an answer, refuse it, or want to see it.
var rules = map[string]rule{
	"any":          {why: "answers questions for ANY, which are handed over"},
	"autopath":     {why: "completes names that do not exist, which are handed over", mind: mindAutopath},
	"bufsize":      {why: "bounds the size that a client may ask for, as is done here", mind: mindBufsize},
	"cache":        {why: "bypasses our zones, and of a reverse zone only makes answers older"},
	"cancel":       {why: "stops what takes long"},
	"chaos":        {why: "answers questions of class CH, which are handed over"},
	"errors":       {why: "logs what fails, and an answer from here has not failed"},
	"hosts":        {why: "answers for the names in its file, which are handed over", mind: mindHosts},
	"k8s_external": {why: "answers for zones of its own, which are handed over", mind: mindZones},
	"loadbalance":  {why: "shuffles addresses, as is done here", mind: mindLoadbalance},
	"log":          {why: "writes about answers of some classes, which are handed over", mind: mindLog, waits: true},
	"metadata":     {why: "gathers what plugins say of a question, for others which are not in this list"},
	"nsid":         {why: "answers an EDNS option, with which questions are handed over", mind: mindNSID},
	"prometheus":   {why: "counts, as is done here", mind: mindPrometheus},
	"shed":         {why: "bounds the writes to CoreDNS's own socket, which do not happen"},
	"template":     {why: "answers for zones of its own, which are handed over", mind: mindZones},
	"transfer":     {why: "sends zones, for which questions are handed over"},
}

// rootOrigin holds all names.
var rootOrigin, _ = zone.ParseOrigin(".")

// block is what is answered of our own server block at a listener. It fails if
// anything ahead of us has to see each question or answer.
func (o *ourBlock) block(b *serverBlock, s *dnsserver.Server) (*udp.Block, error) {
	view := &o.d.view
	block := &udp.Block{Store: o.d.store, View: view, Supported: edns.SupportedOption}
	for _, name := range o.d.fall.Zones {
		origin, err := zone.ParseOrigin(name)
		if err != nil {
			return nil, err
		}
		block.Fallthrough = append(block.Fallthrough, origin)
	}
	block.Search = newFastSearcher(o.d, block.Fallthrough)
	meter := blockMeter{answerCounter: o.d.answers.of(context.WithValue(context.Background(), dnsserver.Key{}, s))}
	if o.d.searcher != nil {
		meter.searched = o.d.searcher.counts
	}
	block.Meters = []udp.ZoneMeter{{Origin: rootOrigin, Meter: meter}}
	ahead := handlersAhead(b.configs[0], o.word)
	// Our own handler for transfers is first, and has no directive.
	if len(ahead)+1 != o.ahead {
		return nil, errors.New("a plugin without a directive of its own stands ahead")
	}
	for _, h := range ahead {
		r, ok := rules[h.Name()]
		if !ok {
			return nil, fmt.Errorf("the plugin %s stands ahead, which may have to see or change what is answered", h.Name())
		}
		if r.mind == nil {
			continue
		}
		j := &judgement{handler: h, tokens: b.Tokens[h.Name()], keys: b.zones(), view: view, server: s, meter: meter, block: block}
		if err := r.mind(j); err != nil {
			return nil, fmt.Errorf("the plugin %s stands ahead, %w", h.Name(), err)
		}
	}
	block.Cache = asksCache(ahead)
	return block, nil
}

// asksCache says whether a cache stands ahead, and nothing that waits.
func asksCache(ahead []plugin.Handler) bool {
	named := func(h plugin.Handler) bool { return h.Name() == "cache" }
	waits := func(h plugin.Handler) bool { return rules[h.Name()].waits }
	return slices.ContainsFunc(ahead, named) && !slices.ContainsFunc(ahead, waits)
}

// zones are the zones of a block.
func (b *serverBlock) zones() []string {
	keys := make([]string, len(b.configs))
	for i, cfg := range b.configs {
		keys[i] = cfg.Zone
	}
	return keys
}

// handlersAhead are those of the directives before a plugin's.
func handlersAhead(cfg *dnsserver.Config, word string) []plugin.Handler {
	place := slices.Index(dnsserver.Directives, word)
	return slices.DeleteFunc(cfg.Handlers(), func(h plugin.Handler) bool {
		return slices.Index(dnsserver.Directives, h.Name()) >= place
	})
}

// dispenser reads the directive again.
func (j *judgement) dispenser() caddyfile.Dispenser {
	return caddyfile.NewDispenserTokens("Corefile", j.tokens)
}

func mindAutopath(j *judgement) error {
	j.block.NoSearch = true
	return nil
}

func mindBufsize(j *judgement) error {
	b, ok := j.handler.(bufsize.Bufsize)
	if !ok {
		return errors.New("of a kind that is not known")
	}
	j.block.MaxSize = uint16(b.Size)
	return nil
}

func mindLoadbalance(j *judgement) error {
	for d := j.dispenser(); d.Next(); {
		if args := d.RemainingArgs(); len(args) > 0 && args[0] != "round_robin" {
			return fmt.Errorf("with the policy %s", args[0])
		}
		if d.NextBlock() {
			return fmt.Errorf("with the property %s", d.Val())
		}
	}
	j.block.Shuffle = true
	return nil
}

// mindLog reads the classes as the plugin log does: denial are negative answers, and
// an error is never answered from here. Where names are given, the first that
// matches decides; what they have in common has to hold for all.
func mindLog(j *judgement) error {
	for d := j.dispenser(); d.Next(); {
		d.RemainingArgs()
		var classes []string
		for d.NextBlock() {
			classes = append(classes, d.RemainingArgs()...)
		}
		if len(classes) == 0 || slices.Contains(classes, "all") || slices.Contains(classes, "success") {
			return errors.New("writing of answers that are given")
		}
		if slices.Contains(classes, "denial") {
			j.block.NoDenials = true
		}
	}
	return nil
}

func mindNSID(j *judgement) error {
	others := j.block.Supported
	j.block.Supported = func(option uint16) bool { return option == dns.EDNS0NSID || others(option) }
	return nil
}

// mindZones leaves to a plugin what is in its zones, which are the arguments of its
// directive or those of the server block.
func mindZones(j *judgement) error {
	for d := j.dispenser(); d.Next(); {
		directive := d.Val()
		args := d.RemainingArgs()
		if directive == "template" {
			args = args[min(2, len(args)):] // class and type
		}
		for _, text := range plugin.OriginsFromArgsOrServerBlock(args, j.keys) {
			if err := j.leave(text); err != nil {
				return err
			}
		}
		for d.NextBlock() {
			d.RemainingArgs()
		}
	}
	return nil
}

// leave leaves the names of a zone to a plugin ahead.
func (j *judgement) leave(text string) error {
	origin, err := zone.ParseOrigin(text)
	if err != nil {
		return err
	}
	all := true
	for _, o := range j.view.Origins {
		all = all && dns.IsSubDomain(origin.String(), o.String())
	}
	if all {
		return fmt.Errorf("for the zone %s, which has all of ours", origin)
	}
	j.block.Elsewhere = append(j.block.Elsewhere, origin)
	return nil
}

// mindHosts asks the plugin itself for every name, since its file changes. It is
// asked for addresses by name only, so questions for names of addresses are its own.
func mindHosts(j *judgement) error {
	h, ok := j.handler.(hosts.Hosts)
	if !ok {
		return errors.New("of a kind that is not known")
	}
	for _, origin := range h.Origins {
		for _, o := range j.view.Origins {
			in := dns.IsSubDomain(origin, o.String()) || dns.IsSubDomain(o.String(), origin)
			if in && !h.Fall.Through(o.String()) {
				return fmt.Errorf("and lets no name of %s fall through", o)
			}
		}
	}
	claims := func(q *zone.Question) bool {
		if q.Type == dns.TypePTR {
			return true
		}
		var buf [256]byte
		text, ok := q.AppendText(buf[:0])
		if !ok {
			return true
		}
		name := unsafe.String(unsafe.SliceData(text), len(text))
		return len(h.LookupStaticHostV4(name)) > 0 || len(h.LookupStaticHostV6(name)) > 0
	}
	j.block.Claimed = claims
	return nil
}

func mindPrometheus(j *judgement) error {
	m, ok := j.handler.(*coremetrics.Metrics)
	if !ok {
		return errors.New("of a kind that is not known")
	}
	if m.Next == nil {
		return errors.New("with nothing behind it")
	}
	names := slices.SortedFunc(slices.Values(m.ZoneNames()), func(a, b string) int { return len(b) - len(a) })
	var meters []udp.ZoneMeter
	if !slices.Contains(names, ".") {
		names = append(names, ".")
	}
	for _, name := range names {
		origin, err := zone.ParseOrigin(name)
		if err != nil {
			return err
		}
		meter := newZoneMeter(j.meter, j.server.Addr, name, m.Next.Name())
		meters = append(meters, udp.ZoneMeter{Origin: origin, Meter: meter})
	}
	j.block.Meters = meters
	return nil
}
