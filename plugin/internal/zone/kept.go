package zone

import (
	"strings"
	"sync/atomic"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// keptAnswers is what was made of a Service for one question and serves the next.
// It belongs to one version of the Service and goes with it.
type keptAnswers struct {
	addresses atomic.Pointer[keptAddresses]
	services  atomic.Pointer[keptServices]
	rosters   atomic.Pointer[roster]
	zones     atomic.Pointer[topologyZones]
}

// answersOf is what is kept for a version of a Service.
func answersOf(n *cluster.ServiceNode) *keptAnswers {
	if k, ok := n.Cached().(*keptAnswers); ok {
		return k
	}
	return n.Cache(new(keptAnswers)).(*keptAnswers)
}

// keptAddresses are the addresses of all endpoints, each once, one behind the
// other: a fraction of the records' size.
type keptAddresses struct{ v4, v6 []byte }

// packed are the addresses of the endpoints of one family.
func packedOf(n *cluster.ServiceNode, qtype uint16) []byte { return allAddresses(n).of(qtype) }

// of are the addresses of a type's family.
func (k *keptAddresses) of(qtype uint16) []byte {
	if qtype == dns.TypeA {
		return k.v4
	}
	return k.v6
}

func allAddresses(n *cluster.ServiceNode) *keptAddresses {
	k := answersOf(n).addresses.Load()
	if k == nil {
		k = makeAddresses(n, new(subset))
		answersOf(n).addresses.Store(k)
	}
	return k
}

// keptServices is the answer to one question for SRV, from the end of the question
// on. Names in it are pointers to the question or within the answer, so that it
// fits to every spelling of the question but for the targets.
type keptServices struct {
	next   *keptServices
	style  style
	prefix string // the labels before the Service's, in wire form
	wire   Wire
	body   string
}

// style is what of a view shows in an answer.
type style struct {
	origin   string
	ttl      uint32
	podNames bool
}

// maxKept is the number of names below one Service of which answers are kept, and
// maxKeptSize that of octets of an answer: few clients take more over UDP.
const (
	maxKept     = 16
	maxKeptSize = 4096
)

// keptRecords writes the SRV records of a headless Service or of a port of it, which
// lead to as many names as it has endpoints.
func (w *writer) keptRecords(p *place) bool {
	k := w.keptServices(p.service)
	if k == nil {
		c, _ := p.group(w.view.PodNames)
		t := targetsOf(c.service, &c.subset)
		least := recordHead + srvFixed + c.minTarget(len(w.origin.Wire()))
		if t.records.count*least > max(0, w.free()) {
			return w.group(&c, t)
		}
		if t.records.count*least+t.addresses.count*recordHead > maxKeptSize {
			return false
		}
		k = w.keepServices(p.service)
	}
	switch {
	case k == nil:
		return false
	case k.wire.Result == NoData:
		return w.negative(NoData)
	case w.question.HasUpper() || k.wire.Plain+w.room.Reserved > w.room.Size:
		return false // targets are spelled in full, as the question spells the origin
	}
	w.wire = k.wire
	w.msg = append(w.msg, k.body...)
	return true
}

// prefix is the part of the question before the Service's name.
func (w *writer) prefix() string {
	return w.question.Name().Before(w.origin.Labels() + serviceLabels)
}

func (w *writer) style() style { return style{w.origin.String(), w.view.TTL, w.view.PodNames} }

// keptServices is the answer to the question, or nil if none is kept.
func (w *writer) keptServices(svc *cluster.ServiceNode) *keptServices {
	s, prefix := w.style(), w.prefix()
	for k := answersOf(svc).services.Load(); k != nil; k = k.next {
		if k.style == s && k.prefix == prefix {
			return k
		}
	}
	return nil
}

// keepServices makes the answer to the question. It is nil for one that is not worth
// keeping.
func (w *writer) keepServices(svc *cluster.ServiceNode) *keptServices {
	k := w.makeServices()
	if k == nil {
		return nil
	}
	first, count := answersOf(svc).services.Load(), 0
	for other := first; other != nil; other = other.next {
		count++
	}
	if count >= maxKept {
		first = nil // what other views left behind, before a reload
	}
	k.next, k.style, k.prefix = first, w.style(), strings.Clone(w.prefix())
	answersOf(svc).services.Store(k)
	return k
}

// makeServices asks as the handler does.
func (w *writer) makeServices() *keptServices {
	name, err := dnsname.ParseWire([]byte(w.question.Name().Wire()))
	if err != nil {
		return nil
	}
	a := w.view.LookupWithin(w.snapshot, &name, dns.TypeSRV, Room{Size: maxKeptSize})
	if a.Result == NoData {
		return &keptServices{wire: Wire{Result: NoData}}
	}
	m := dns.Msg{Answer: a.Records, Extra: a.Extra}
	m.Question = []dns.Question{{Name: name.String(), Qtype: dns.TypeSRV, Qclass: dns.ClassINET}}
	length := m.Len()
	m.Compress = true
	packed, err := m.Pack()
	if a.Result != Success || a.Truncated || err != nil || length > maxKeptSize {
		return nil
	}
	return &keptServices{
		wire: Wire{Result: Success, Answers: uint16(len(a.Records)), Extra: uint16(len(a.Extra)), Plain: length},
		body: string(packed[headerSize+len(w.question.Name().Wire())+4:]),
	}
}

// Bytes implements cluster.Cached.
func (k *keptAnswers) Bytes() int {
	sum := cluster.SizeOf[keptAnswers]()
	if a := k.addresses.Load(); a != nil {
		sum += a.bytes()
	}
	for r := k.rosters.Load(); r != nil; r = r.next {
		sum += r.bytes()
	}
	if z := k.zones.Load(); z != nil {
		sum += z.bytes()
	}
	for s := k.services.Load(); s != nil; s = s.next {
		sum += cluster.SizeOf[keptServices]() + cluster.Rounded(len(s.prefix)) + cluster.Rounded(len(s.body))
	}
	return sum
}

func (k *keptAddresses) bytes() int {
	return cluster.SizeOf[keptAddresses]() + cluster.ArraySize(k.v4) + cluster.ArraySize(k.v6)
}
