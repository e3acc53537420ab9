package tcp

import (
	"net"
	"sync"
	"time"
)

// mostQueued is the number of octets that wait while others are written, before a goroutine with
// more of them waits too.
const mostQueued = 64 << 10

// output writes to a connection, one write at a time. What comes while a write is under way leaves
// together with the next one.
type output struct {
	conn    net.Conn
	timeout time.Duration

	mu      sync.Mutex
	written sync.Cond
	writing bool
	queue   []byte
	err     error // of an earlier write
}

func (o *output) init(conn net.Conn, timeout time.Duration) {
	o.conn, o.timeout = conn, timeout
	o.written.L = &o.mu
}

// send writes answers, each with its length ahead, or leaves them to the goroutine that is writing.
// It does not keep their memory.
func (o *output) send(answers []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.writing && o.err == nil && len(o.queue) > 0 && len(o.queue)+len(answers) > mostQueued {
		o.written.Wait()
	}
	if o.err != nil {
		return o.err
	}
	if o.writing {
		o.queue = append(o.queue, answers...)
		return nil
	}
	o.writing = true
	for len(answers) > 0 && o.err == nil {
		o.write(answers)
		answers, o.queue = o.queue, nil
	}
	o.writing = false
	return o.err
}

// write writes answers while others may be queued.
func (o *output) write(answers []byte) {
	o.mu.Unlock()
	err := o.conn.SetWriteDeadline(time.Now().Add(o.timeout))
	if err == nil {
		_, err = o.conn.Write(answers)
	}
	o.mu.Lock()
	o.err = err
	o.written.Broadcast()
}
