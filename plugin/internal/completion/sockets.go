package completion

import (
	"net/netip"
	"sync"
	"unsafe"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

// socketSearcher completes names in the snapshot, for the sockets. It decides as Complete
// does, but allocates nothing.
type socketSearcher struct {
	c      *Completer
	memory sync.Pool
}

var _ reply.Searcher = (*socketSearcher)(nil)

// ForSockets returns the completer for the sockets, or nil if nothing is completed.
func (c *Completer) ForSockets() reply.Searcher {
	if c == nil {
		return nil
	}
	s := &socketSearcher{c: c}
	s.memory.New = func() any { return &socketSearch{c: c} }
	return s
}

// MaxTTL implements reply.Searcher.
func (*socketSearcher) MaxTTL() uint32 { return maxTTL }

// Complete implements reply.Searcher.
func (s *socketSearcher) Complete(snapshot *cluster.Snapshot, client netip.Addr, q, target *answer.Question) reply.Completion {
	if !searchedFor(q.Type) {
		return reply.Completion{}
	}
	question, path, ok := s.c.question(q.Name(), q.Wire())
	if !ok {
		return reply.Completion{}
	}
	m := s.memory.Get().(*socketSearch)
	defer s.memory.Put(m)
	m.snapshot = snapshot
	if s.c.AskAll {
		if m.Taken(question.Namespace(), question.Service()) {
			return reply.Completion{}
		}
		return reply.Completion{Outcome: searchpath.Ask}
	}
	if list := s.c.listFor(snapshot, client, &question, path, &m.list); list != nil {
		return m.complete(question, list, target)
	}
	return reply.Completion{}
}

// socketSearch is the searchpath.Cluster of one question, in memory that is reused.
type socketSearch struct {
	c        *Completer
	snapshot *cluster.Snapshot
	walk     searchpath.Walk
	list     searchpath.List // of a Pod
	name     answer.Question
}

var _ searchpath.Cluster = (*socketSearch)(nil)

func (m *socketSearch) complete(q searchpath.Question, l *searchpath.List, target *answer.Question) reply.Completion {
	if !m.walk.Begin(q, l, m) {
		return reply.Completion{}
	}
	if !m.walk.Next() {
		m.c.Counter.None()
		return reply.Completion{}
	}
	c := reply.Completion{Outcome: searchpath.Ask, Base: q.Base(), Element: m.walk.Suffix(), Saved: m.walk.Saved()}
	if m.walk.Status() == searchpath.Present {
		if _, ok := target.Parse(m.walk.Name()); ok {
			c.Outcome = searchpath.Inside
		}
	}
	return c
}

// Taken implements searchpath.Cluster. The question's memory does not change while it is in
// use.
func (m *socketSearch) Taken(namespace, service []byte) bool {
	return m.c.View.ClaimsSubtree(m.snapshot, cluster.Key{Namespace: unsafeString(namespace), Name: unsafeString(service)})
}

func unsafeString(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// Status implements searchpath.Cluster.
func (m *socketSearch) Status(name []byte) searchpath.Status {
	if _, ok := m.name.Parse(name); !ok {
		return searchpath.Absent
	}
	return m.c.status(m.c.View.Presence(m.snapshot, m.name.Name()), m.name.Name())
}
