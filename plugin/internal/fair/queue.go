package fair

// Queue has items that wait, each for a client. Clients are served in turns. A full queue
// drops the oldest item of the client that has most.
//
// It is the scheme of fq_codel (RFC 8290) without its hashing: the number of queued items
// bounds the number of clients, so each client can have a queue of its own. Nothing is
// allocated once the queue has been full. Only one goroutine at a time may use it.
type Queue[T any] struct {
	items   []item[T]
	clients []line
	index   map[Client]int32 // in clients
	lengths []int32          // rings of clients by number of items; the first in a ring is dropped from first
	most    int              // the largest number of items of a client
	turn    int32            // the client whose turn it is
	count   int

	freeItem, freeClient int32 // heads of the free lists
}

// none is the end of a list.
const none = -1

type item[T any] struct {
	value       T
	newer, next int32 // next in the free list
	older       int32
}

// line is the queue of one client. It is in two rings.
type line struct {
	client         Client
	oldest, newest int32
	length         int
	credit         int
	before, after  int32 // neighbours in the order of turns
	less, more     int32 // neighbours among lines of the same length
}

// quantum is how much a client may spend in one turn.
const quantum = 1232

// NewQueue returns a queue with room for a number of items.
func NewQueue[T any](capacity int) *Queue[T] {
	q := &Queue[T]{
		items: make([]item[T], capacity),
		// A client with a debt stays for a while without an item.
		clients: make([]line, 2*capacity),
		index:   make(map[Client]int32),
		lengths: make([]int32, capacity+1),
		turn:    none,
	}
	for i := range q.items {
		q.items[i].next = int32(i) - 1
	}
	for i := range q.clients {
		q.clients[i].after = int32(i) - 1
	}
	for i := range q.lengths {
		q.lengths[i] = none
	}
	q.freeItem, q.freeClient = int32(capacity)-1, int32(2*capacity)-1
	return q
}

// Len returns the number of items.
func (q *Queue[T]) Len() int { return q.count }

// Push adds an item for a client. If the queue is full, it returns the item that it has
// dropped.
func (q *Queue[T]) Push(c Client, value T) (dropped T, full bool) {
	if q.freeItem == none {
		dropped, full = q.take(q.lengths[q.most], false), true
	}
	l := q.lineOf(c)
	at := q.freeItem
	it := &q.items[at]
	q.freeItem = it.next
	line := &q.clients[l]
	*it = item[T]{value: value, newer: none, older: line.newest}
	if line.newest == none {
		line.oldest = at
	} else {
		q.items[line.newest].newer = at
	}
	line.newest = at
	q.resize(l, 1)
	q.count++
	return dropped, full
}

// Next returns the oldest item of the client whose turn it is. The caller reports its cost
// with Charge.
func (q *Queue[T]) Next() (c Client, value T, ok bool) {
	if q.count == 0 {
		return 0, value, false
	}
	for {
		l := q.turn
		line := &q.clients[l]
		switch {
		case line.credit <= 0:
			line.credit += quantum
			q.turn = line.after
		case line.length == 0:
			q.remove(l)
		default:
			return line.client, q.take(l, false), true
		}
	}
}

// Charge adds a cost to the client of the last item from Next.
func (q *Queue[T]) Charge(c Client, cost int) {
	if l, ok := q.index[c]; ok {
		q.clients[l].credit -= cost
	}
}

// Newest returns the newest item of the next client for which may reports true. Each client
// has one item in a turn.
func (q *Queue[T]) Newest(may func(Client) bool) (value T, ok bool) {
	for range len(q.index) {
		l := q.turn
		line := &q.clients[l]
		q.turn = line.after
		if line.length > 0 && may(line.client) {
			value, ok = q.take(l, true), true
		}
		if line.length == 0 {
			q.remove(l)
		}
		if ok {
			break
		}
	}
	return value, ok
}

// lineOf returns the line of a client. A new line is the last in the order of turns.
func (q *Queue[T]) lineOf(c Client) int32 {
	if l, ok := q.index[c]; ok {
		return l
	}
	if q.freeClient == none {
		q.forget()
	}
	l := q.freeClient
	q.freeClient = q.clients[l].after
	q.clients[l] = line{client: c, oldest: none, newest: none, credit: quantum, before: l, after: l}
	q.index[c] = l
	if q.turn == none {
		q.turn = l
	} else {
		next := &q.clients[q.turn]
		q.clients[l].before, q.clients[l].after = next.before, q.turn
		q.clients[next.before].after = l
		next.before = l
	}
	return l
}

// forget removes the clients without an item, whatever their debt.
func (q *Queue[T]) forget() {
	for _, l := range q.index {
		if q.clients[l].length == 0 {
			q.remove(l)
		}
	}
}

// take removes the oldest or the newest item of a line and returns it.
func (q *Queue[T]) take(l int32, newest bool) T {
	line := &q.clients[l]
	at := line.oldest
	if newest {
		at = line.newest
	}
	it := &q.items[at]
	if it.older == none {
		line.oldest = it.newer
	} else {
		q.items[it.older].newer = it.newer
	}
	if it.newer == none {
		line.newest = it.older
	} else {
		q.items[it.newer].older = it.older
	}
	value := it.value
	*it = item[T]{next: q.freeItem} // the value may refer to memory that can be freed
	q.freeItem = at
	q.resize(l, -1)
	q.count--
	return value
}

// remove removes a line without items.
func (q *Queue[T]) remove(l int32) {
	line := &q.clients[l]
	delete(q.index, line.client)
	q.clients[line.before].after = line.after
	q.clients[line.after].before = line.before
	if q.turn == l {
		q.turn = line.after
	}
	if line.after == l {
		q.turn = none
	}
	line.after = q.freeClient
	q.freeClient = l
}

// resize moves a line that has become longer or shorter by one.
func (q *Queue[T]) resize(l int32, by int) {
	line := &q.clients[l]
	if line.length > 0 {
		q.unlist(l)
	}
	line.length += by
	if line.length > 0 {
		q.list(l)
	}
	for q.most = max(q.most, line.length); q.most > 0 && q.lengths[q.most] == none; q.most-- {
	}
}

// list puts a line at the end of the ring of its length.
func (q *Queue[T]) list(l int32) {
	line := &q.clients[l]
	first := q.lengths[line.length]
	if first == none {
		q.lengths[line.length] = l
		line.less, line.more = l, l
		return
	}
	last := q.clients[first].less
	line.less, line.more = last, first
	q.clients[last].more, q.clients[first].less = l, l
}

func (q *Queue[T]) unlist(l int32) {
	line := &q.clients[l]
	q.clients[line.less].more, q.clients[line.more].less = line.more, line.less
	switch {
	case line.more == l:
		q.lengths[line.length] = none
	case q.lengths[line.length] == l:
		q.lengths[line.length] = line.more
	}
}
