package clusterdns

import (
	"net/netip"
	"sync"
	"unsafe"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// fastSearcher completes names on the fast path: those that a snapshot has. It decides
// as completion does, without allocating anything.
type fastSearcher struct {
	d         *ClusterDNS
	fall      []zone.Origin // zones in which the next plugin may know a name
	memories  sync.Pool
	positions *searchCounter
}

var _ udp.Searcher = (*fastSearcher)(nil)

// newFastSearcher makes the searcher of a handler, or nil if it has none.
func newFastSearcher(d *ClusterDNS, fall []zone.Origin) udp.Searcher {
	if d.searcher == nil {
		return nil
	}
	f := &fastSearcher{d: d, fall: fall, positions: d.searcher.counts}
	f.memories.New = func() any { return &fastSearch{f: f} }
	return f
}

// MaxTTL implements udp.Searcher.
func (*fastSearcher) MaxTTL() uint32 { return searchTTL }

// Complete implements udp.Searcher.
func (f *fastSearcher) Complete(s *cluster.Snapshot, client netip.Addr, q, target *zone.Question) udp.Completion {
	question, path, ok := f.question(q)
	if !ok || !searchedFor(q.Type) {
		return udp.Completion{}
	}
	m := f.memories.Get().(*fastSearch)
	defer f.memories.Put(m)
	m.snapshot = s
	if f.d.searcher.asks {
		if m.Taken(question.Namespace(), question.Service()) {
			return udp.Completion{}
		}
		return udp.Completion{Verdict: searchpath.Ask}
	}
	if list := m.listFor(client, &question, path); list != nil {
		return m.complete(question, list, target)
	}
	return udp.Completion{}
}

// question takes a name apart, if it is one to complete.
func (f *fastSearcher) question(q *zone.Question) (searchpath.Question, *searchpath.Path, bool) {
	for _, path := range f.d.searcher.paths {
		if question, ok := searchpath.Parse(q.Wire(), path.Origin()); ok {
			return question, path, true
		}
	}
	return searchpath.Question{}, nil, false
}

// fastSearch is the cluster of one question, in memory that is used again.
type fastSearch struct {
	f        *fastSearcher
	snapshot *cluster.Snapshot
	walk     searchpath.Walk
	list     searchpath.List // of a Pod
	name     zone.Question
}

// listFor is what comes next in a client's search path, or nil.
func (m *fastSearch) listFor(client netip.Addr, q *searchpath.Question, path *searchpath.Path) *searchpath.List {
	if m.f.d.searcher.mode == searchNames {
		return path.Standard()
	}
	return m.f.d.searcher.listOf(m.snapshot.Client(client).Pod, q, path, &m.list)
}

func (m *fastSearch) complete(q searchpath.Question, l *searchpath.List, target *zone.Question) udp.Completion {
	if !m.walk.Begin(q, l, m) {
		return udp.Completion{}
	}
	if !m.walk.Next() {
		m.f.positions.failed()
		return udp.Completion{}
	}
	c := udp.Completion{Verdict: searchpath.Ask, Base: q.Base(), Element: m.walk.Suffix(), Saved: m.walk.Saved()}
	if m.walk.Status() == searchpath.Present {
		if _, ok := target.Parse(m.walk.Name()); ok {
			c.Verdict = searchpath.Inside
		}
	}
	return c
}

// Taken implements searchpath.Cluster. The memory of a question does not change while it
// is completed.
func (m *fastSearch) Taken(namespace, service []byte) bool {
	return m.f.d.view.Reserves(m.snapshot, cluster.Key{Namespace: unsafeString(namespace), Name: unsafeString(service)})
}

func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Status implements searchpath.Cluster.
func (m *fastSearch) Status(name []byte) searchpath.Status {
	if _, ok := m.name.Parse(name); !ok {
		return searchpath.Absent
	}
	switch r := m.f.d.view.Presence(m.snapshot, &m.name); {
	case r == zone.OutOfZone:
		return searchpath.Elsewhere
	case r == zone.Delegate || m.f.d.searcher.blocks.holdsElsewhere(&m.name):
		return searchpath.Unclear
	case r != zone.NXDomain:
		return searchpath.Present
	}
	for i := range m.f.fall {
		if m.f.fall[i].Encloses(m.name.Name()) {
			return searchpath.Unclear
		}
	}
	return searchpath.Absent
}
