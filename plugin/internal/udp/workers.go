package udp

import (
	"context"
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

// job is what a worker does.
type job interface {
	// do says whether the goroutine is still one of the workers.
	do() bool
}

// Workers hands questions to CoreDNS. They are bounded in number, and so is what
// waits for them: under overload the newest question is next, since its client
// still waits for it, and the oldest is given up.
type Workers struct {
	mu      sync.Mutex
	wake    sync.Cond
	pending [maxPending]*task // a ring: the newest is below top
	readers []job             // are no workers, but may become some, and come first
	top     int
	count   int
	running int
	idle    int
	limit   int
}

// task is one question for CoreDNS, in memory that is used again.
type task struct {
	backend *Backend
	writer  *writer // not used again: a handler may keep it beyond its answer
	buf     [packetSize]byte
	size    int
	open    *atomic.Int64 // counts the questions of the socket that are not done with
}

var tasks = sync.Pool{New: func() any { return new(task) }}

// newTask makes a question of a packet, which is open until it is freed.
func newTask(backend *Backend, w *writer, packet []byte, open *atomic.Int64) *task {
	open.Add(1)
	t := tasks.Get().(*task)
	t.backend, t.writer, t.open = backend, w, open
	t.size = copy(t.buf[:], packet)
	return t
}

// do implements job.
func (t *task) do() bool {
	t.serve(t.backend.Context)
	return true
}

// serve gives the question to CoreDNS, and is done with it.
func (t *task) serve(ctx context.Context) {
	t.backend.serve(ctx, t.writer, t.buf[:t.size])
	t.free()
}

func (t *task) free() {
	t.open.Add(-1)
	t.backend, t.writer, t.open = nil, nil, nil
	tasks.Put(t)
}

// NewWorkers makes workers that start when they are needed.
func NewWorkers() *Workers {
	w := &Workers{limit: maxWorkers}
	w.wake.L = &w.mu
	return w
}

// submit takes a question, or gives up another that has waited for longer.
func (w *Workers) submit(t *task) {
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
		oldest.backend.Meter.Dropped(1)
		oldest.free()
	}
}

// start has a goroutine read that is not needed as a worker.
func (w *Workers) start(reader job) {
	w.mu.Lock()
	if !w.spare() {
		w.mu.Unlock()
		go w.run(reader)
		return
	}
	w.readers = append(w.readers, reader)
	w.mu.Unlock()
	w.wake.Signal()
}

// spare says whether more workers are idle than have something to do when they wake.
func (w *Workers) spare() bool { return w.idle > w.count+len(w.readers) }

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

func (w *Workers) run(j job) {
	for j != nil && j.do() {
		j = w.next()
	}
}

// join makes a goroutine one of the workers, if there may be one more.
func (w *Workers) join() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.running >= w.limit {
		return false
	}
	w.running++
	return true
}

// leave ends what join has begun.
func (w *Workers) leave() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.running--
}

// next is a reader, or the newest question, or nil if the worker is not needed any more.
func (w *Workers) next() job {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		if last := len(w.readers) - 1; last >= 0 {
			r := w.readers[last]
			w.readers = w.readers[:last]
			w.running--
			return r
		}
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
