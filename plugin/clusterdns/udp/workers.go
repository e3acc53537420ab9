package udp

import (
	"sync"
	"sync/atomic"
)

const (
	// maxWorkers bounds the questions that CoreDNS works on at one time. It is more
	// than kubeadm lets the plugin forward have (max_concurrent 1000), so that
	// upstreams which do not answer cannot stop everything else.
	maxWorkers = 4096
	// maxIdle is how many workers wait for the next question. Their stacks have
	// grown to what a question needs.
	maxIdle = 64
	// maxPending is how many questions wait for a worker. A client asks again after
	// a second or more: what has waited longer is worth nothing to it.
	maxPending = 1024
)

// Workers hands questions to CoreDNS. They are bounded in number, and so is what
// waits for them: under overload the newest question is next, since its client
// still waits for it, and the oldest is given up.
type Workers struct {
	mu      sync.Mutex
	wake    sync.Cond
	pending [maxPending]*task // a ring: the newest is below top
	top     int
	count   int
	running int
	idle    int
	limit   int
}

// task is one question for CoreDNS, in memory that is used again.
type task struct {
	service *Service
	writer  *writer // not used again: a handler may keep it beyond its answer
	buf     [packetSize]byte
	size    int
	open    *atomic.Int64 // counts the questions of the socket that are not done with
}

var tasks = sync.Pool{New: func() any { return new(task) }}

// NewWorkers makes workers that start when they are needed.
func NewWorkers() *Workers {
	w := &Workers{limit: maxWorkers}
	w.wake.L = &w.mu
	return w
}

// submit takes a question, or gives up another that has waited for longer.
func (w *Workers) submit(t *task) {
	t.open.Add(1)
	w.mu.Lock()
	if !w.spare() && w.running < w.limit {
		w.running++
		w.mu.Unlock()
		go w.run(t)
		return
	}
	oldest := w.push(t)
	w.mu.Unlock()
	w.wake.Signal()
	if oldest != nil {
		oldest.service.Meter.Dropped(1)
		oldest.free()
	}
}

// spare says whether more workers are idle than have something to do when they wake.
func (w *Workers) spare() bool { return w.idle > w.count }

// push returns what had to give way.
func (w *Workers) push(t *task) *task {
	oldest := w.pending[w.top]
	w.pending[w.top] = t
	w.top = (w.top + 1) % maxPending
	if oldest == nil {
		w.count++
	}
	return oldest
}

func (w *Workers) pop() *task {
	if w.count == 0 {
		return nil
	}
	w.top = (w.top + maxPending - 1) % maxPending
	t := w.pending[w.top]
	w.pending[w.top] = nil
	w.count--
	return t
}

func (w *Workers) run(t *task) {
	for ; t != nil; t = w.next() {
		t.service.serve(t.writer, t.buf[:t.size])
		t.free()
	}
}

// next is the newest question, or nil if the worker is not needed any more.
func (w *Workers) next() *task {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if t := w.pop(); t != nil {
			return t
		}
		if w.idle >= maxIdle {
			w.running--
			return nil
		}
		w.idle++
		w.wake.Wait()
		w.idle--
	}
}

func (t *task) free() {
	t.open.Add(-1)
	t.service, t.writer, t.open = nil, nil, nil
	tasks.Put(t)
}
