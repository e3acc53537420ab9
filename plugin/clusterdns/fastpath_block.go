package clusterdns

import (
	"context"
	"errors"
	"slices"

	"github.com/coredns/coredns/core/dnsserver"
	coremetrics "github.com/coredns/coredns/plugin/metrics"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// rootOrigin holds all names.
var rootOrigin, _ = zone.ParseOrigin(".")

// block returns what is answered of our own server block at a listener. It fails if
// anything ahead of us has to see each question or answer.
func (o *ourBlock) block(b *corefile.Block, s *dnsserver.Server) (*udp.Block, error) {
	ahead := corefile.Ahead(b.Configs[0], o.word)
	// Our own handler for transfers is first, and has no directive.
	if len(ahead)+1 != o.ahead {
		return nil, errors.New("a plugin without a directive of its own stands ahead")
	}
	view := &o.d.view
	c, err := b.Conditions(ahead, view.Origins)
	if err != nil {
		return nil, err
	}
	fall, err := origins(o.d.fall.Zones)
	if err != nil {
		return nil, err
	}
	meters, err := o.meters(c.Prometheus, s)
	if err != nil {
		return nil, err
	}
	return &udp.Block{
		Store: o.d.store, View: view, Elsewhere: c.Elsewhere, Fallthrough: fall, Claimed: c.Claimed,
		Search: newFastSearcher(o.d, fall), Supported: c.Repeats, Cache: c.Cache, NoDenials: c.NoDenials, NoSearch: c.NoSearch,
		Shuffle: c.Shuffle, MaxSize: c.MaxSize, Meters: meters,
	}, nil
}

// meters returns what counts the answers of a server block: its handler's counters alone, or
// those of the plugin prometheus too.
func (o *ourBlock) meters(m *coremetrics.Metrics, s *dnsserver.Server) ([]udp.ZoneMeter, error) {
	meter := blockMeter{answerCounter: o.d.answers.of(context.WithValue(context.Background(), dnsserver.Key{}, s))}
	if o.d.searcher != nil {
		meter.searched = o.d.searcher.counts
	}
	if m == nil {
		return []udp.ZoneMeter{{Origin: rootOrigin, Meter: meter}}, nil
	}
	names := slices.SortedFunc(slices.Values(m.ZoneNames()), func(a, b string) int { return len(b) - len(a) })
	if !slices.Contains(names, ".") {
		names = append(names, ".")
	}
	zones, err := origins(names)
	if err != nil {
		return nil, err
	}
	meters := make([]udp.ZoneMeter, len(names))
	for i, name := range names {
		meters[i] = udp.ZoneMeter{Origin: zones[i], Meter: newZoneMeter(meter, s.Addr, name, m.Next.Name())}
	}
	return meters, nil
}

// origins parses the names of zones.
func origins(names []string) ([]zone.Origin, error) {
	var parsed []zone.Origin
	for _, name := range names {
		o, err := zone.ParseOrigin(name)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, o)
	}
	return parsed, nil
}
