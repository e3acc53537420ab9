package udp

import (
	"sync"
	"sync/atomic"

	"github.com/clusterdns/clusterdns/plugin/internal/fair"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

const (
	// maxWorkers is the largest number of questions that CoreDNS works on at a time, without
	// those that wait for an upstream.
	maxWorkers = 4096
	// maxBlocked is the largest number of questions that wait for an upstream. It is more
	// than kubeadm's max_concurrent of the plugin forward, 1000. Further questions are
	// discarded, and those that need no upstream are answered. A client alone may have two
	// thirds.
	maxBlocked = 5120
	// crowdWorkers is the number of workers from which on none is started for a packet out of a
	// room: the reader waits behind all of them for a processor, and the kernel drops meanwhile.
	crowdWorkers = 256
	// maxIdle is the largest number of idle workers. Their stacks have grown to the size
	// that a question needs.
	maxIdle = 64
	// maxPending is the largest number of questions that wait for a worker. A client asks
	// again after a second or more, so an older question is worth nothing.
	maxPending = 1024
)

// job is what a worker does.
type job interface {
	// do reports whether the goroutine is still one of the workers.
	do() bool
}

// workers passes questions to CoreDNS. The numbers of workers, of blocked workers and of
// questions that wait for a worker are bounded. Blocked workers have a bound of their own,
// so that dead upstreams do not delay answers that need no upstream. Under overload clients
// are served in turns; the newest question of a client is next, since the client still
// waits for it, and the oldest question of the client that has most is discarded.
type workers struct {
	working *fair.Places // for questions that workers work on
	waiting *fair.Places // for questions that wait for an upstream

	mu      sync.Mutex
	wake    sync.Cond
	pending *fair.Queue[*task]
	readers []job // start before pending questions; they do not count as workers
	running int   // workers, without blocked ones
	blocked int
	idle    int
	limit   int // of running
}

// task is one question for CoreDNS. Its memory is used again.
type task struct {
	backend *Backend
	workers *workers
	writer  *writer // is not used again, since a handler may keep it
	client  fair.Client
	crowded bool // packets wait in the room of the socket
	buf     [reply.PacketSize]byte
	size    int
	open    *atomic.Int64 // counts the socket's unanswered questions
}

var tasks = sync.Pool{New: func() any { return new(task) }}

// newTask returns a task for a packet. It counts as open until free is called.
func (w *workers) newTask(backend *Backend, to *writer, packet []byte, open *atomic.Int64) *task {
	open.Add(1)
	t := tasks.Get().(*task)
	t.backend, t.workers, t.writer, t.open = backend, w, to, open
	t.client, t.crowded = fair.ClientOf(to.client.Addr()), false
	t.size = copy(t.buf[:], packet)
	return t
}

// do implements job.
func (t *task) do() bool {
	c := &call{Context: t.backend.Context, workers: t.workers, writer: t.writer, client: t.client}
	if t.serve(c) {
		return c.workers.unblock(c.client)
	}
	c.workers.working.Leave(c.client)
	return true
}

// serve passes the question to CoreDNS and frees the task. It reports whether the handler
// has blocked.
func (t *task) serve(c *call) (blocked bool) {
	t.backend.serve(c, t.writer, t.buf[:t.size])
	blocked = c.end()
	if r, at := t.writer.slot.Take(); r != nil {
		t.backend.Zones.Keep(t.writer.client.Addr().Unmap(), t.buf[:t.size], r, at)
	}
	if t.writer.discarded.Load() {
		t.backend.Meter.Dropped(1)
	}
	t.free()
	return blocked
}

func (t *task) free() {
	t.open.Add(-1)
	t.backend, t.workers, t.writer, t.open = nil, nil, nil, nil
	tasks.Put(t)
}

// newWorkers returns workers, which start when there are questions.
func newWorkers() *workers {
	w := &workers{working: fair.NewPlaces(maxWorkers), waiting: fair.NewPlaces(maxBlocked), limit: maxWorkers}
	w.pending = fair.NewQueue[*task](maxPending)
	w.wake.L = &w.mu
	return w
}

// submit queues a question. If the queue is full, it discards one.
func (w *workers) submit(t *task) {
	limit := w.limit
	if t.crowded {
		limit = min(limit, crowdWorkers)
	}
	w.mu.Lock()
	if !w.spare() && w.running < limit && w.working.Take(t.client) {
		w.running++
		w.mu.Unlock()
		go w.run(t)
		return
	}
	discarded, full := w.pending.Push(t.client, t)
	w.mu.Unlock()
	w.wake.Signal()
	if full {
		discarded.backend.Meter.Dropped(1)
		discarded.free()
	}
}

// start runs a reader in an idle goroutine, or in a new one.
func (w *workers) start(reader job) {
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

// spare reports whether an idle worker has nothing to do yet when it wakes.
func (w *workers) spare() bool { return w.idle > w.pending.Len()+len(w.readers) }

// pop returns the newest question of the next client that may have another one worked on, or nil.
func (w *workers) pop() *task {
	t, ok := w.pending.Newest(w.working.Take)
	if ok && w.pending.Len() > 0 {
		w.wake.Signal() // an idle worker may have found nothing before
	}
	return t
}

func (w *workers) run(j job) {
	for j != nil && j.do() {
		j = w.next()
	}
}

// block counts the calling goroutine, which has a client's question, as blocked, no longer as a
// worker if it was one. It reports false if the client, or all together, have too many blocked.
func (w *workers) block(client fair.Client, worker bool) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.waiting.Take(client) {
		return false
	}
	w.blocked++
	if !worker {
		return true
	}
	w.working.Leave(client)
	if t := w.pop(); t != nil { // it waits because there were too many workers
		go w.run(t)
	} else {
		w.running--
	}
	return true
}

// unblock makes a blocked goroutine a worker. It reports false if there are too many.
func (w *workers) unblock(client fair.Client) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.waiting.Leave(client)
	w.blocked--
	if w.running >= w.limit {
		return false
	}
	w.running++
	return true
}

// next returns a reader, or the newest question, or nil if the worker must end.
func (w *workers) next() job {
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
