package udp

import (
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxReaders is how many goroutines read one socket at the same time: no more than
	// are ever busy at the rates that a cluster asks at.
	maxReaders = 8
	// loggedPanics is how many panics are logged one by one, before one a second is.
	loggedPanics = 10
)

// Listener answers beside CoreDNS on the address of one of its listeners.
type Listener struct {
	address netip.AddrPort // where CoreDNS listens
	log     func(format string, v ...any)
	workers *Workers
	backend atomic.Pointer[Backend]
	probes  probes

	check chan struct{}
	done  chan struct{}
	ended sync.WaitGroup

	mu      sync.Mutex
	sockets []*socket
	unbound map[netip.Addr]*attempts // addresses of the machine without a socket of ours
	stopped bool

	told   string // the last trouble that was logged
	broken atomic.Bool
	panics rate.Sometimes // of log lines
}

// listen opens the sockets. Without one there is no listener.
func listen(address netip.AddrPort, s *Backend, workers *Workers, log func(string, ...any)) (*Listener, error) {
	l := &Listener{
		address: address,
		log:     log,
		workers: workers,
		check:   make(chan struct{}, 1),
		done:    make(chan struct{}),
		unbound: map[netip.Addr]*attempts{},
		panics:  rate.Sometimes{First: loggedPanics, Interval: time.Second},
	}
	l.probes.init()
	l.backend.Store(s)
	if _, err := l.cover(); err != nil {
		l.drain(0)
		return nil, fmt.Errorf("on %s: %w", address, err)
	}
	l.ended.Go(l.watch)
	return l, nil
}

// Misrouted tells that a packet came to CoreDNS's own socket.
func (l *Listener) Misrouted() {
	l.backend.Load().Meter.Misrouted()
	select {
	case l.check <- struct{}{}:
	default:
	}
}

// trouble is logged when its reason is new. What comes to CoreDNS's own socket meanwhile
// is answered there. It is not called by two goroutines at the same time.
func (l *Listener) trouble(err error) {
	if reason := err.Error(); reason != l.told {
		l.told = reason
		l.log("fast path on %s: %s", l.address, reason)
	}
}

// panicked counts each panic, and logs the first ones and then one a second: a client
// could have thousands logged.
func (l *Listener) panicked(s *Backend, cause any) {
	s.Meter.Panicked()
	l.panics.Do(func() { l.log("Recovered from panic in the fast path on %s: %v", l.address, cause) })
}

// giveUp closes the sockets, so that CoreDNS's own get all packets.
func (l *Listener) giveUp(err error) {
	if l.broken.Swap(true) {
		return
	}
	l.log("fast path on %s is given up: %v", l.address, err)
	l.backend.Load().Meter.GivenUp()
	l.stopTaking()
	l.drain(drainTimeout)
}

// stop ends the watch, and has no more packets come to the listener: CoreDNS's own socket
// gets them. Call drain afterwards.
func (l *Listener) stop() {
	close(l.done)
	l.stopTaking()
}

// stopTaking leaves the address to CoreDNS. No socket is opened from then on.
func (l *Listener) stopTaking() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.stopped && !l.isWildcard() {
		l.unsteer()
	}
	l.stopped = true
	for _, s := range l.sockets {
		s.stopTaking()
	}
}

// drain waits until what came to the sockets is answered, and closes them.
func (l *Listener) drain(timeout time.Duration) {
	l.mu.Lock()
	sockets := l.sockets
	l.sockets = nil
	l.mu.Unlock()
	drain(sockets, timeout)
}

// awaitEnd returns when all goroutines of a listener that was stopped have ended.
func (l *Listener) awaitEnd() { l.ended.Wait() }
