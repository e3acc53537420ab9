package metrics

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/coredns/coredns/plugin/metrics/vars"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/clusterdns/clusterdns/plugin/internal/completion"
	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
)

// monitoredTypes are the query types that the plugin prometheus names. All others are
// "other".
var monitoredTypes = []uint16{
	dns.TypeA, dns.TypeAAAA, dns.TypeCNAME, dns.TypeDNSKEY, dns.TypeDS, dns.TypeHTTPS, dns.TypeMX, dns.TypeNS, dns.TypeNSEC,
	dns.TypeNSEC3, dns.TypePTR, dns.TypeRRSIG, dns.TypeSOA, dns.TypeSRV, dns.TypeSVCB, dns.TypeTXT,
}

// blockMeter counts answers at the sockets of a server block, as the block's handler does.
type blockMeter struct {
	*AnswerCounter
	searched completion.Counter // nil if nothing is completed
}

var _ reply.Meter = blockMeter{}

// AtSockets returns a meter for answers at the sockets of the server. searched is nil if
// nothing is completed there.
func (c *AnswerCounter) AtSockets(searched completion.Counter) reply.Meter {
	return blockMeter{AnswerCounter: c, searched: searched}
}

// Answered implements reply.Meter.
func (m blockMeter) Answered(a *reply.Answered) {
	switch c := &a.Completion; {
	case c.Outcome != searchpath.Inside:
	case a.Result == resolve.Success:
		m.searched.Found(c.Element.Position, c.Saved)
		return
	default:
		m.searched.NoData(c.Element.Position)
		return
	}
	m.count(a.Kind, outcomeOf[a.Result])
}

// zoneMeter also counts in the metrics of the plugin prometheus, under its labels. As in
// that plugin, a series begins with its first count.
type zoneMeter struct {
	block                reply.Meter
	server, zone, plugin string
	proto                string

	requests [2][]series // by family and type
	rcodes   [2]series   // NOERROR and NXDOMAIN
	do       series

	once     sync.Once
	duration prometheus.Observer
	size     prometheus.Observer
	asked    prometheus.Observer
}

var _ reply.Meter = (*zoneMeter)(nil)

// series is a counter that is looked up only once.
type series struct {
	counter atomic.Pointer[prometheus.Counter]
}

func (s *series) keep(c prometheus.Counter) prometheus.Counter {
	s.counter.Store(&c)
	return c
}

func newZoneMeter(block reply.Meter, server, zone, plugin, proto string) *zoneMeter {
	m := &zoneMeter{block: block, server: server, zone: zone, plugin: plugin, proto: proto}
	for family := range m.requests {
		m.requests[family] = make([]series, len(monitoredTypes)+1)
	}
	return m
}

// view is the label of a server block without the plugin view. With that plugin there is no
// fast path.
const view = ""

// Answered implements reply.Meter.
func (m *zoneMeter) Answered(a *reply.Answered) {
	m.block.Answered(a)
	m.once.Do(m.begin)
	if a.DO {
		m.countDO().Inc()
	}
	m.request(a.IPv6, a.Type).Inc()
	m.duration.Observe(a.Took.Seconds())
	m.size.Observe(float64(a.Size))
	m.asked.Observe(float64(a.Asked))
	m.rcode(a.Result).Inc()
}

func (m *zoneMeter) begin() {
	m.duration = vars.RequestDuration.WithLabelValues(m.server, m.zone, view)
	m.size = vars.ResponseSize.WithLabelValues(m.server, m.zone, view, m.proto)
	m.asked = vars.RequestSize.WithLabelValues(m.server, m.zone, view, m.proto)
}

func (m *zoneMeter) countDO() prometheus.Counter {
	if c := m.do.counter.Load(); c != nil {
		return *c
	}
	return m.do.keep(vars.RequestDo.WithLabelValues(m.server, m.zone, view))
}

func (m *zoneMeter) request(ipv6 bool, qtype uint16) prometheus.Counter {
	family, label := 0, "1"
	if ipv6 {
		family, label = 1, "2"
	}
	i := slices.Index(monitoredTypes, qtype)
	s := &m.requests[family][i+1]
	if c := s.counter.Load(); c != nil {
		return *c
	}
	name := "other"
	if i >= 0 {
		name = dns.Type(qtype).String()
	}
	return s.keep(vars.RequestCount.WithLabelValues(m.server, m.zone, view, m.proto, label, name))
}

func (m *zoneMeter) rcode(r resolve.Result) prometheus.Counter {
	s, name := &m.rcodes[0], "NOERROR"
	if r == resolve.NXDomain {
		s, name = &m.rcodes[1], "NXDOMAIN"
	}
	if c := s.counter.Load(); c != nil {
		return *c
	}
	return s.keep(vars.ResponseRcode.WithLabelValues(m.server, m.zone, view, name, m.plugin))
}

// fastPathMetrics implements fastpath.Metrics.
type fastPathMetrics struct{ *Collectors }

var _ fastpath.Metrics = fastPathMetrics{}

// FastPath returns the metrics of the fast path.
func (c *Collectors) FastPath() fastpath.Metrics { return fastPathMetrics{c} }

// Answers implements fastpath.Metrics.
func (m fastPathMetrics) Answers(server string, enabled bool) {
	value := 0.0
	if enabled {
		value = 1
	}
	m.fastPath.WithLabelValues(server).Set(value)
}

// Listener implements fastpath.Metrics.
func (m fastPathMetrics) Listener(server string) udp.ListenerMeter {
	return newListenerMeter(m.Collectors, server)
}

// Zone implements fastpath.Metrics.
func (fastPathMetrics) Zone(block reply.Meter, server, zone, plugin, proto string) reply.Meter {
	return newZoneMeter(block, server, zone, plugin, proto)
}

// listenerMeter counts what the fast path does at a listener.
type listenerMeter struct {
	enabled                                             prometheus.Gauge
	answered, handedOver, dropped, lost, ignored, stray prometheus.Counter
}

var _ udp.ListenerMeter = (*listenerMeter)(nil)

func newListenerMeter(c *Collectors, server string) *listenerMeter {
	of := func(outcome string) prometheus.Counter {
		return c.fastPathPackets.WithLabelValues(server, outcome)
	}
	return &listenerMeter{
		enabled:    c.fastPath.WithLabelValues(server),
		answered:   of("answered"),
		handedOver: of("handed_over"),
		dropped:    of("dropped"),
		lost:       of("lost"),
		ignored:    of("ignored"),
		stray:      of("missed"),
	}
}

// Answered implements udp.ListenerMeter.
func (m *listenerMeter) Answered(n int) { m.answered.Add(float64(n)) }

// HandedOver implements udp.ListenerMeter.
func (m *listenerMeter) HandedOver(n int) { m.handedOver.Add(float64(n)) }

// Dropped implements udp.ListenerMeter.
func (m *listenerMeter) Dropped(n int) { m.dropped.Add(float64(n)) }

// Lost implements udp.ListenerMeter.
func (m *listenerMeter) Lost(n int) { m.lost.Add(float64(n)) }

// Ignored implements udp.ListenerMeter.
func (m *listenerMeter) Ignored(n int) { m.ignored.Add(float64(n)) }

// Misrouted implements udp.ListenerMeter.
func (m *listenerMeter) Misrouted() { m.stray.Inc() }

// Panicked implements udp.ListenerMeter. The metric is that of CoreDNS's own server.
func (*listenerMeter) Panicked() { vars.Panic.Inc() }

// GivenUp implements udp.ListenerMeter.
func (m *listenerMeter) GivenUp() { m.enabled.Set(0) }
