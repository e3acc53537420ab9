package udp

import (
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/clusterdns/clusterdns/plugin/internal/fair"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

const (
	// crowd is how many octets the kernel's buffer of a socket may have before packets wait
	// in the socket's room. If an eighth of the buffer is less, that applies. The kernel
	// counts about 800 octets for a packet.
	crowd = 256 << 10
	// roomSize is the largest number of packets that wait in a room.
	roomSize = 2048
	// maxRead is the number of batches that are read before the next packets are answered.
	maxRead = 64
	// handOverCost is the cost of a question for CoreDNS, in octets of answers: it takes
	// about as much time as ten of our answers.
	handOverCost = 1232
)

// room is a queue for packets that arrive faster than they are answered. The kernel would
// drop the newest packets of any sender; here clients are served in turns, and the client
// with most packets loses some. All readers of a socket share one room.
type room struct {
	open  atomic.Bool           // packets are waiting
	mu    sync.Mutex            // for what follows
	queue *fair.Queue[*waiting] // made when it is first needed
	free  []*waiting
}

// waiting is a packet that waits.
type waiting struct {
	size, addressSize uint32
	client            unix.RawSockaddrInet6
	packet            [reply.PacketSize]byte
}

// enter makes packets wait in the room from now on.
func (m *room) enter() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.queue == nil {
		m.queue = fair.NewQueue[*waiting](roomSize)
	}
	m.open.Store(true)
}

// put puts the i-th packet of a batch into the room. It reports false if another packet was
// dropped for it.
func (m *room) put(b *batch, i int) bool {
	var w *waiting
	if last := len(m.free) - 1; last >= 0 {
		w, m.free = m.free[last], m.free[:last]
	} else {
		w = new(waiting)
	}
	w.size, w.addressSize, w.client = b.in[i].size, b.in[i].header.Namelen, b.clients[i]
	copy(w.packet[:], b.packets[i][:w.size])
	dropped, full := m.queue.Push(fair.ClientOf(b.addr(i)), w)
	if full {
		m.free = append(m.free, dropped)
	}
	return !full
}

// take moves the next packet to the i-th place of a batch. It reports false if there is
// none.
func (m *room) take(b *batch, i int) (fair.Client, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	client, w, ok := m.queue.Next()
	if !ok {
		return 0, false
	}
	b.in[i].size, b.in[i].header.Namelen, b.clients[i] = w.size, w.addressSize, w.client
	copy(b.packets[i][:], w.packet[:w.size])
	m.free = append(m.free, w)
	return client, true
}

// charge adds to the cost of a client.
func (m *room) charge(client fair.Client, cost int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.queue.Charge(client, cost)
}

// answerCrowd reads all packets that have arrived into the room, and answers a batch of
// them. If there are none, it closes the room and returns EAGAIN.
func (r *reader) answerCrowd(b *batch, fd uintptr) unix.Errno {
	waiting, err := r.fill(b, fd)
	if err != 0 {
		return err
	}
	r.countLost()
	if waiting > backlog*batchSize {
		r.addHelper()
	}
	t := r.begin(b)
	for i := range batchSize {
		client, ok := r.room.take(b, i)
		if !ok {
			break
		}
		r.handedOver.Add(-1)
		r.room.charge(client, r.answerNext(b, fd, i, &t))
	}
	r.finish(b, fd, &t)
	return 0
}

// fill reads packets into the room until no more have arrived, and returns how many wait.
// If none waits, it closes the room and returns EAGAIN.
func (r *reader) fill(b *batch, fd uintptr) (n int, err unix.Errno) {
	r.room.mu.Lock()
	defer r.room.mu.Unlock()
	for range maxRead {
		if n, err = b.receive(fd); err != 0 {
			break
		}
		r.admit(b, n)
	}
	n = r.room.queue.Len()
	r.room.open.Store(n > 0) // another reader may have closed it since this one looked
	if n > 0 && err == unix.EAGAIN || err == unix.EINTR {
		err = 0
	}
	return n, err
}

// admit puts n packets of a batch into the room.
func (r *reader) admit(b *batch, n int) {
	dropped := 0
	for i := range n {
		if !r.room.put(b, i) {
			dropped++
		}
	}
	r.handedOver.Add(int64(n - dropped))
	if dropped > 0 {
		r.listener.backend.Load().Meter.Dropped(dropped)
	}
}
