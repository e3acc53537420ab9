package udp

import (
	"net/netip"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/clusterdns/clusterdns/plugin/internal/fair"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// reader is the state of a goroutine that reads a socket. Between two batches the goroutine
// itself asks CoreDNS for outside names, since CoreDNS's cache has most of them: waking a worker
// costs more than the answer.
type reader struct {
	*socket
	helps   bool    // another reader waits for packets; this one helps with those that are there
	full    int     // number of full batches in a row
	pending []*task // questions to ask CoreDNS
	ended   bool    // the socket is closed
}

// do implements job. It reads until the socket is closed, and returns false, or until a handler
// has blocked, and returns true: then another goroutine reads, and this one is a worker.
func (r *reader) do() bool {
	if r.helps {
		return r.help()
	}
	for !r.ended {
		if err := r.raw.Read(r.readAll); err != nil {
			r.fail(err)
		}
		if client, ok := r.ask(); !ok {
			return r.listener.workers.unblock(client)
		}
	}
	close(r.done)
	return false
}

// backlog is the number of full batches in a row after which another goroutine helps to read.
const backlog = 4

// addHelper starts one more goroutine that reads the socket, if there is a processor for it.
func (s *socket) addHelper() {
	if int(s.helpers.Add(1)) >= min(maxReaders, runtime.GOMAXPROCS(0)) {
		s.helpers.Add(-1)
		return
	}
	s.listener.workers.start(&reader{socket: s, helps: true})
}

// help answers the packets that are there. Control keeps the socket open meanwhile.
func (r *reader) help() bool {
	for more := true; more && !r.ended; {
		more = false
		_ = r.raw.Control(func(fd uintptr) { more = r.readAll(fd) })
		if client, ok := r.ask(); !ok {
			return r.listener.workers.unblock(client)
		}
	}
	r.helpers.Add(-1)
	return false
}

// readElsewhere makes another goroutine read the socket, and workers ask the remaining
// questions.
func (r *reader) readElsewhere(rest []*task) {
	w := r.listener.workers
	if r.helps {
		r.helpers.Add(-1) // the waiting reader starts another if need be
	} else {
		w.start(&reader{socket: r.socket})
	}
	for _, t := range rest {
		w.submit(t)
	}
}

// fail ends the reader after an error. The listener gives up, unless the socket was closed on
// purpose.
func (r *reader) fail(err error) {
	r.ended = true
	if !r.closing.Load() {
		go r.listener.giveUp(err) // giveUp waits for this reader to end
	}
}

// readAll answers the packets that are there. It is a callback of [syscall.RawConn.Read]: it
// returns false to be called again when more packets arrive, and true when there are questions
// for CoreDNS or the socket is closed.
func (r *reader) readAll(fd uintptr) bool {
	b := batches.Get().(*batch)
	defer batches.Put(b)
	for !r.closing.Load() {
		switch err := r.answerSome(b, fd); err {
		case 0:
			if len(r.pending) > 0 {
				return true
			}
		case unix.EAGAIN:
			r.full = 0
			return false
		case unix.EINTR:
		default:
			r.fail(err)
			return true
		}
	}
	r.ended = true
	return true
}

// answerSome reads and answers a batch of packets.
func (r *reader) answerSome(b *batch, fd uintptr) unix.Errno {
	if r.room.open.Load() {
		return r.answerCrowd(b, fd)
	}
	n, err := b.receive(fd)
	if err == 0 {
		r.count(n)
		r.answer(b, fd, n)
	}
	return err
}

// count counts full batches, and gets help when there are many in a row. When the kernel's buffer
// fills all the same, packets wait in the room.
func (r *reader) count(n int) {
	if r.full++; n < batchSize {
		r.full = 0
		return
	}
	if r.countLost() { // batches are full when the kernel drops packets
		r.room.enter()
	}
	if r.full == backlog {
		r.addHelper()
	}
}

// ask asks CoreDNS the pending questions. It reports false if a handler has blocked: then
// another goroutine reads the socket and asks the rest.
func (r *reader) ask() (blocked fair.Client, ok bool) {
	for i, t := range r.pending {
		c := &call{Context: t.backend.Context, workers: t.workers, writer: t.writer, client: t.client, reader: r, rest: r.pending[i+1:]}
		if t.serve(c) {
			return c.client, false
		}
	}
	r.pending = r.pending[:0]
	return 0, true
}

// turn has the counts of one round of answers.
type turn struct {
	backend            *Backend
	start              time.Time
	ignored, submitted int
}

func (r *reader) begin(b *batch) turn {
	t := turn{backend: r.listener.backend.Load(), start: time.Now()}
	b.At(t.start)
	return t
}

// answer answers n packets.
func (r *reader) answer(b *batch, fd uintptr, n int) {
	t := r.begin(b)
	for i := range n {
		r.answerNext(b, fd, i, &t)
	}
	r.finish(b, fd, &t)
}

// answerNext answers the i-th packet, and returns its cost in octets for the client.
func (r *reader) answerNext(b *batch, fd uintptr, i int, t *turn) int {
	if cap(b.arena)-len(b.arena) < reply.MaxSize {
		r.flush(b, fd, t.backend, t.start)
	}
	before := len(b.arena)
	switch r.answerOne(b, i, t.backend) {
	case reply.Ignore:
		t.ignored++
	case reply.HandOver:
		t.submitted++
		return handOverCost
	case reply.Outside:
		return handOverCost
	}
	return int(b.in[i].size) + len(b.arena) - before
}

// finish sends the remaining answers, and counts.
func (r *reader) finish(b *batch, fd uintptr, t *turn) {
	r.flush(b, fd, t.backend, t.start)
	if t.ignored > 0 {
		t.backend.Meter.Ignored(t.ignored)
	}
	if n := t.submitted + len(r.pending); n > 0 {
		t.backend.Meter.HandedOver(n)
	}
	if t.submitted > 0 {
		runtime.Gosched() // a worker may need the only processor
	}
}

// answerOne queues the answer to a packet, or hands the packet over.
func (r *reader) answerOne(b *batch, i int, backend *Backend) reply.Verdict {
	packet := b.packets[i][:b.in[i].size]
	if b.port(i) == 0 {
		return reply.Ignore
	}
	before := len(b.arena)
	arena, v := r.respond(b, backend, b.addr(i), packet)
	switch v {
	case reply.Answer:
		b.arena = arena
		b.queue(i, arena[before:])
	case reply.HandOver:
		r.listener.workers.submit(r.task(b, i, backend))
	case reply.Outside:
		r.pending = append(r.pending, r.task(b, i, backend))
	case reply.Ignore:
		if g := r.listener.group.Load(); g != nil {
			g.Seen(packet)
		}
	}
	return v
}

// task turns a packet into a task for a worker.
func (r *reader) task(b *batch, i int, backend *Backend) *task {
	w := &writer{conn: r.socket, client: b.client(i), zone: r.interfaceName(b.scope(i))}
	t := r.listener.workers.newTask(backend, w, b.packets[i][:b.in[i].size], &r.handedOver)
	t.crowded = r.room.open.Load()
	b.Want(&w.slot)
	return t
}

// interfaceName returns the name of an interface, which plugins see in a link-local client's
// address, and "" for the index 0.
func (s *socket) interfaceName(index uint32) string {
	if index == 0 {
		return ""
	}
	request, err := unix.NewIfreq("?") // any name will do
	if err != nil {
		return ""
	}
	request.SetUint32(index)
	_ = s.raw.Control(func(fd uintptr) { err = unix.IoctlIfreq(int(fd), unix.SIOCGIFNAME, request) })
	if err != nil {
		return strconv.FormatUint(uint64(index), 10) // as Go writes it then
	}
	return request.Name()
}

// respond calls Respond, and hands the packet over if that panics.
func (r *reader) respond(b *batch, backend *Backend, client netip.Addr, packet []byte) (arena []byte, v reply.Verdict) {
	defer func() {
		if cause := recover(); cause != nil {
			r.listener.panicked(backend, cause)
			v = reply.HandOver
		}
	}()
	return b.Respond(backend.Zones, client, packet, b.arena)
}

// flush sends the queued answers and counts them.
func (r *reader) flush(b *batch, fd uintptr, backend *Backend, start time.Time) {
	if b.count == 0 {
		return
	}
	b.send(fd)
	took := time.Since(start)
	for i := range b.count {
		c := &b.counted[i]
		if c.Meter != nil {
			c.Answered.Took = took
			c.Meter.Answered(&c.Answered)
		}
	}
	backend.Meter.Answered(b.count)
	b.reset()
}
