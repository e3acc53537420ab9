package fair

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// model is a queue as it is described, without a thought of what it costs.
type model struct {
	capacity int
	lines    []*modelLine // in the order of turns
	pushed   int
}

type modelLine struct {
	client Client
	items  []int
	credit int
	since  int // when it got its length
}

func (m *model) count() (n int) {
	for _, l := range m.lines {
		n += len(l.items)
	}
	return n
}

func (m *model) push(c Client, v int) (dropped int, full bool) {
	m.pushed++
	if m.count() == m.capacity {
		worst := slices.MaxFunc(m.lines, func(a, b *modelLine) int {
			if len(a.items) != len(b.items) {
				return len(a.items) - len(b.items)
			}
			return b.since - a.since
		})
		dropped, full = worst.items[0], true
		worst.items = worst.items[1:]
		worst.since = m.pushed
	}
	m.pushed++
	i := slices.IndexFunc(m.lines, func(l *modelLine) bool { return l.client == c })
	if i < 0 {
		m.lines = append(m.lines, &modelLine{client: c, credit: quantum})
		i = len(m.lines) - 1
	}
	m.lines[i].items = append(m.lines[i].items, v)
	m.lines[i].since = m.pushed
	return dropped, full
}

func (m *model) rotate() { m.lines = append(m.lines[1:], m.lines[0]) }

func (m *model) next(cost int) (int, bool) {
	for m.count() > 0 {
		switch l := m.lines[0]; {
		case l.credit <= 0:
			l.credit += quantum
			m.rotate()
		case len(l.items) == 0:
			m.lines = m.lines[1:]
		default:
			v := l.items[0]
			l.items = l.items[1:]
			m.pushed++
			l.since = m.pushed
			l.credit -= cost
			return v, true
		}
	}
	return 0, false
}

func (m *model) newest(may func(Client) bool) (v int, ok bool) {
	for range len(m.lines) {
		l := m.lines[0]
		m.rotate()
		if len(l.items) > 0 && may(l.client) {
			v, ok = l.items[len(l.items)-1], true
			l.items = l.items[:len(l.items)-1]
			m.pushed++
			l.since = m.pushed
		}
		if len(l.items) == 0 {
			m.lines = slices.DeleteFunc(m.lines, func(o *modelLine) bool { return o == l })
		}
		if ok {
			break
		}
	}
	return v, ok
}

// The queue does what the model does, whatever happens.
func TestB7QueueIsTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		capacity := rapid.IntRange(1, 20).Draw(t, "capacity")
		q, m := NewQueue[int](capacity), &model{capacity: capacity}
		clients := rapid.IntRange(1, 30).Draw(t, "clients")
		value := 0
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				c := Client(rapid.IntRange(1, clients).Draw(t, "client"))
				if q.freeClient == none {
					t.Skip() // the queue forgets debts then, which the model does not
				}
				value++
				got, gotFull := q.Push(c, value)
				if want, full := m.push(c, value); got != want || gotFull != full {
					t.Fatalf("dropped %d, %t, want %d, %t", got, gotFull, want, full)
				}
			},
			"next": func(t *rapid.T) {
				cost := rapid.SampledFrom([]int{0, 50, 500, 5000}).Draw(t, "cost")
				c, got, gotOK := q.Next()
				q.Charge(c, cost)
				if want, ok := m.next(cost); got != want || gotOK != ok {
					t.Fatalf("next is %d, %t, want %d, %t", got, gotOK, want, ok)
				}
			},
			"newest": func(t *rapid.T) {
				busy := Client(rapid.IntRange(0, clients).Draw(t, "busy"))
				may := func(c Client) bool { return c != busy }
				got, gotOK := q.Newest(may)
				if want, ok := m.newest(may); got != want || gotOK != ok {
					t.Fatalf("newest is %d, %t, want %d, %t", got, gotOK, want, ok)
				}
			},
			"": func(t *rapid.T) {
				if q.Len() != m.count() || len(q.index) != len(m.lines) {
					t.Fatalf("%d items of %d clients, want %d of %d", q.Len(), len(q.index), m.count(), len(m.lines))
				}
			},
		})
	})
}

const flooder, polite = Client(1), Client(2)

// Whatever a client floods the queue with, another loses nothing and waits for one turn.
func TestB7FloodTakesNothingFromOthers(t *testing.T) {
	q := NewQueue[Client](64)
	for range 1000 {
		q.Push(flooder, flooder)
	}
	if dropped, full := q.Push(polite, polite); !full || dropped != flooder {
		t.Fatalf("dropped a question of %d, %t", dropped, full)
	}
	for range 1000 {
		if dropped, full := q.Push(flooder, flooder); full && dropped != flooder {
			t.Fatal("the polite client's question was dropped")
		}
	}
	for n := 0; ; n++ {
		c, _, ok := q.Next()
		if !ok || n > 2 {
			t.Fatalf("the polite client still waits after %d", n)
		}
		if c == polite {
			break
		}
		q.Charge(c, quantum)
	}
}

// Clients get the same octets, so one with small answers gets more of them.
func TestB7TurnsAreByCost(t *testing.T) {
	q, answers := NewQueue[Client](64), map[Client]int{}
	costs := map[Client]int{flooder: 1200, polite: 120}
	for range 1100 {
		for c := range costs {
			q.Push(c, c)
		}
		c, _, _ := q.Next()
		q.Charge(c, costs[c])
		answers[c]++
	}
	if ratio := answers[polite] / answers[flooder]; ratio < 9 || ratio > 11 {
		t.Errorf("answers %v, a ratio of %d", answers, ratio)
	}
}

// Clients that owe much are forgotten before others find no room.
func TestB7DebtsAreBounded(t *testing.T) {
	q := NewQueue[int](4)
	for i := range 1000 {
		q.Push(Client(i), i)
		c, v, ok := q.Next()
		if !ok || v != i {
			t.Fatalf("%d, %t, want %d", v, ok, i)
		}
		q.Charge(c, 1<<20)
		if len(q.index) > 8 {
			t.Fatalf("%d clients are known", len(q.index))
		}
	}
}

func TestQueueAllocatesNothing(t *testing.T) {
	q := NewQueue[int](512)
	n := 0
	turn := func() {
		for range 1024 {
			n++
			q.Push(Client(n%700), n)
		}
		for range 300 {
			c, _, _ := q.Next()
			q.Charge(c, 100)
		}
	}
	for range 100 {
		turn()
	}
	if n := testing.AllocsPerRun(100, turn); n > 0 {
		t.Errorf("%.1f allocations", n)
	}
}

func BenchmarkQueue(b *testing.B) {
	q := NewQueue[int](2048)
	for i := range 2048 {
		q.Push(Client(i%50), i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q.Push(Client(i%50), i)
		c, _, _ := q.Next()
		q.Charge(c, 100)
	}
}
