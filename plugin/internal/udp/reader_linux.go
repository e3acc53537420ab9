package udp

import (
	"net/netip"
	"runtime"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// reader is a goroutine that reads a socket. Between two batches it asks CoreDNS
// itself for the names outside that were in the first, since CoreDNS's cache has most of
// them: to wake a worker costs more than the answer.
type reader struct {
	*socket
	helps   bool    // beside the one that waits at the socket
	full    int     // batches in a row
	pending []*task // to ask CoreDNS for
	ended   bool    // nothing more is to be read
}

// do implements job: it reads until nothing more is to be read, which returns false,
// or until it has waited, and another reads on.
func (r *reader) do() bool {
	if r.helps {
		return r.help()
	}
	for !r.ended {
		if err := r.raw.Read(r.drain); err != nil {
			r.fail(err)
		}
		if !r.ask() {
			return true
		}
	}
	close(r.done)
	return false
}

// backlog is how many full batches in a row tell that one reader is not enough.
const backlog = 4

// addHelper has one more goroutine answer what is there, if there is a processor for it.
func (s *socket) addHelper() {
	if int(s.helpers.Add(1)) >= min(maxReaders, runtime.GOMAXPROCS(0)) {
		s.helpers.Add(-1)
		return
	}
	s.listener.workers.start(&reader{socket: s, helps: true})
}

// help answers what is there. The socket is not closed while it is read.
func (r *reader) help() bool {
	for more := true; more && !r.ended; {
		more = false
		_ = r.raw.Control(func(fd uintptr) { more = r.drain(fd) })
		if !r.ask() {
			return true
		}
	}
	r.helpers.Add(-1)
	return false
}

// readElsewhere has another goroutine read in the place of this one, and others ask the rest.
func (r *reader) readElsewhere(rest []*task) {
	w := r.listener.workers
	if r.helps {
		r.helpers.Add(-1) // who waits at the socket finds another
	} else {
		w.start(&reader{socket: r.socket})
	}
	for _, t := range rest {
		w.submit(t)
	}
}

// fail ends the reader, and what it has not been told to end by gives up the sockets.
func (r *reader) fail(err error) {
	r.ended = true
	if !r.closing.Load() {
		go r.listener.giveUp(err) // which waits for this to end
	}
}

// drain answers what is there. It returns false when there is nothing, to be called
// again when there is more.
func (r *reader) drain(fd uintptr) bool {
	b := batches.Get().(*batch)
	defer batches.Put(b)
	for !r.closing.Load() {
		n, err := b.receive(fd)
		switch err {
		case 0:
			r.count(n)
			if r.answer(b, fd, n); len(r.pending) > 0 {
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

// count notes how many packets there were, and gets help where they are too many.
func (r *reader) count(n int) {
	if r.full++; n < batchSize {
		r.full = 0
		return
	}
	r.countLost() // where the kernel drops packets, batches are full
	if r.full == backlog {
		r.addHelper()
	}
}

// ask asks CoreDNS what is pending, and says whether this goroutine is still to read.
// If not, it is one of the workers.
func (r *reader) ask() bool {
	if len(r.pending) == 0 {
		return true
	}
	w := r.listener.workers
	if !w.join() {
		for _, t := range r.pending {
			w.submit(t)
		}
	} else if !r.askAll() {
		return false
	} else {
		w.leave()
	}
	r.pending = r.pending[:0]
	return true
}

// askAll says whether nobody has waited.
func (r *reader) askAll() bool {
	for i, t := range r.pending {
		call := &inlineCall{Context: t.backend.Context, reader: r, rest: r.pending[i+1:]}
		if t.serve(call); !call.end() {
			return false
		}
	}
	return true
}

// answer answers n packets.
func (r *reader) answer(b *batch, fd uintptr, n int) {
	backend := r.listener.backend.Load()
	start := time.Now()
	var ignored, submitted int
	for i := range n {
		if cap(b.arena)-len(b.arena) < maxSize {
			r.flush(b, fd, backend, start)
		}
		switch r.answerOne(b, i, backend) {
		case Ignore:
			ignored++
		case HandOver:
			submitted++
		}
	}
	r.flush(b, fd, backend, start)
	if ignored > 0 {
		backend.Meter.Ignored(ignored)
	}
	if n := submitted + len(r.pending); n > 0 {
		backend.Meter.HandedOver(n)
	}
	if submitted > 0 {
		runtime.Gosched() // who takes them may need the only processor there is
	}
}

// answerOne queues the answer to a packet, or hands it over.
func (r *reader) answerOne(b *batch, i int, backend *Backend) Verdict {
	packet := b.packets[i][:b.in[i].size]
	if b.port(i) == 0 {
		return Ignore
	}
	before := len(b.arena)
	arena, v := r.respond(b, backend, b.addr(i), packet)
	switch v {
	case Answer:
		b.arena = arena
		b.answered.IPv6 = b.isIPv6(i)
		b.queue(i, arena[before:])
	case HandOver:
		r.listener.workers.submit(r.task(b, i, backend))
	case Outside:
		r.pending = append(r.pending, r.task(b, i, backend))
	case Ignore:
		r.listener.probes.seen(packet)
	}
	return v
}

// task is a packet as a question for CoreDNS.
func (r *reader) task(b *batch, i int, backend *Backend) *task {
	w := &writer{conn: r.conn, client: b.client(i), zone: r.interfaceName(b.scope(i))}
	return newTask(backend, w, b.packets[i][:b.in[i].size], &r.handedOver)
}

// interfaceName is the name that CoreDNS's log has in addresses of one interface alone,
// empty for others.
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

// respond hands over what an answer fails for.
func (r *reader) respond(b *batch, backend *Backend, client netip.Addr, packet []byte) (arena []byte, v Verdict) {
	defer func() {
		if cause := recover(); cause != nil {
			r.listener.panicked(backend, cause)
			v = HandOver
		}
	}()
	return b.Respond(backend, client, packet, b.arena)
}

// flush sends the answers that are ready, and counts them.
func (r *reader) flush(b *batch, fd uintptr, backend *Backend, start time.Time) {
	if b.count == 0 {
		return
	}
	b.send(fd)
	took := time.Since(start)
	for i := range b.count {
		c := &b.counted[i]
		if c.meter != nil {
			c.answered.Took = took
			c.meter.Answered(&c.answered)
		}
	}
	backend.Meter.Answered(b.count)
	b.reset()
}
