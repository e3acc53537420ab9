package fastpath

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/coredns/coredns/core/dnsserver"
	coremetrics "github.com/coredns/coredns/plugin/metrics"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/recent"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// rootOrigin encloses all names.
var rootOrigin, _ = resolve.ParseOrigin(".")

// block returns the block that answers for a server block of ours at a listener. It fails
// if a plugin ahead must see every question or answer.
func (f *Instance) block(h *Handler, b *corefile.Block, s *dnsserver.Server, proto string) (*reply.Block, error) {
	block, err := f.blockOf(h, b, s, proto)
	if err != nil {
		return nil, err
	}
	for _, other := range f.beside[b.Configs[0]] {
		if sub, err := f.blockOf(other, b, s, proto); err == nil { // otherwise its zones are Elsewhere
			sub.Asked = block.Asked
			block.Beside = append(block.Beside, sub)
		}
	}
	return block, nil
}

// blockOf returns the block of one handler alone.
func (f *Instance) blockOf(h *Handler, b *corefile.Block, s *dnsserver.Server, proto string) (*reply.Block, error) {
	ahead := corefile.Ahead(b.Configs[0], h.Directive)
	if len(ahead) != h.Ahead {
		return nil, errors.New("a plugin without a directive of its own stands ahead")
	}
	c, err := b.Conditions(ahead, h.View.Origins)
	if err != nil {
		return nil, err
	}
	meter, keep := f.keep(h.Meter(s), c.Keeping, s)
	meters, err := f.meters(meter, c.Prometheus, s, proto)
	if err != nil {
		return nil, err
	}
	if c.Allowed != nil {
		countAllowed(meters, c.Allowed.WithLabelValues(s.Addr, ""))
	}
	return &reply.Block{
		Store: h.Store(), View: h.View, Elsewhere: c.Elsewhere, Fallthrough: h.Fallthrough, Claimed: h.claimed(c.Claimed), Synthesized: c.Synthesized,
		Search: h.Completer.ForSockets(), Supported: c.Repeats, Cache: c.Cache, NoDenials: c.NoDenials, NoSearch: c.NoSearch,
		Shuffle: c.Shuffle, MaxSize: c.MaxSize, Meters: meters, Keep: keep, Asked: h.Asked,
	}, nil
}

// claimed returns what reports whether a plugin ahead, or the next one, may have to see a question.
func (h *Handler) claimed(ahead func(*answer.Question, netip.Addr) bool) func(*answer.Question, netip.Addr) bool {
	if h.Leaves == nil {
		return ahead
	}
	return func(q *answer.Question, client netip.Addr) bool {
		return h.Leaves(q) || ahead != nil && ahead(q, client)
	}
}

// keep returns where replies of the plugin cache are kept, nil if they are not, and a meter that
// counts such answers as the plugin would.
func (f *Instance) keep(block reply.Meter, how *corefile.Keeping, s *dnsserver.Server) (reply.Meter, *reply.Keep) {
	if how == nil {
		return block, nil
	}
	meter, ok := f.metrics.Cache(block, s.Addr, how.Zones)
	if !ok {
		return block, nil
	}
	if f.kept == nil {
		f.kept = recent.NewTable()
	}
	f.keeping++
	return meter, &reply.Keep{Table: f.kept, Block: f.keeping, Prefetch: recent.Prefetch{Hits: how.Hits, Percent: how.Percent}}
}

// meters returns the meters of a server block. With the plugin prometheus, they count in
// its metrics too.
func (f *Instance) meters(block reply.Meter, m *coremetrics.Metrics, s *dnsserver.Server, proto string) ([]reply.ZoneMeter, error) {
	if m == nil {
		return []reply.ZoneMeter{{Origin: rootOrigin, Meter: block}}, nil
	}
	names := slices.SortedFunc(slices.Values(m.ZoneNames()), func(a, b string) int { return len(b) - len(a) })
	if !slices.Contains(names, ".") {
		names = append(names, ".")
	}
	zones, err := origins(names)
	if err != nil {
		return nil, err
	}
	meters := make([]reply.ZoneMeter, len(names))
	for i, name := range names {
		meters[i] = reply.ZoneMeter{Origin: zones[i], Meter: f.metrics.Zone(block, s.Addr, name, m.Next.Name(), proto)}
	}
	return meters, nil
}

// countAllowed makes meters count in a counter of the plugin acl too.
func countAllowed(meters []reply.ZoneMeter, counter prometheus.Counter) {
	for i := range meters {
		meters[i].Meter = allowed{meters[i].Meter, counter}
	}
}

// allowed counts answers that the plugin acl would have allowed.
type allowed struct {
	reply.Meter
	counter prometheus.Counter
}

// Answered implements reply.Meter.
func (m allowed) Answered(a *reply.Answered) {
	m.counter.Inc()
	m.Meter.Answered(a)
}

// origins parses the names of zones.
func origins(names []string) ([]resolve.Origin, error) {
	var parsed []resolve.Origin
	for _, name := range names {
		o, err := resolve.ParseOrigin(name)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, o)
	}
	return parsed, nil
}
