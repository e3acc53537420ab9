package udp

import (
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/clusterdns/clusterdns/plugin/internal/steer"
)

const (
	// maxReaders is the number of goroutines that may read one socket at the same time. More
	// are never busy at the rates at which a cluster asks.
	maxReaders = 8
	// loggedPanics is the number of panics that are logged one by one. After them, one per
	// second is logged.
	loggedPanics = 10
)

// Listener has the sockets that answer in addition to one of CoreDNS's own.
type Listener struct {
	address netip.AddrPort // where CoreDNS listens
	log     func(format string, v ...any)
	workers *workers
	backend atomic.Pointer[Backend]
	group   atomic.Pointer[steer.Group] // nil on all addresses

	check chan struct{}
	done  chan struct{}
	ended sync.WaitGroup

	mu      sync.Mutex
	sockets []*socket
	unbound map[netip.Addr]*attempts // the machine's addresses where no socket could be opened
	stopped bool

	told   string // the last trouble that was logged
	broken atomic.Bool
	panics rate.Sometimes // of log lines
}

// listen opens the sockets. It fails if it can open none.
func listen(address netip.AddrPort, s *Backend, workers *workers, log func(string, ...any)) (*Listener, error) {
	l := &Listener{
		address: address,
		log:     log,
		workers: workers,
		check:   make(chan struct{}, 1),
		done:    make(chan struct{}),
		unbound: map[netip.Addr]*attempts{},
		panics:  rate.Sometimes{First: loggedPanics, Interval: time.Second},
	}
	l.backend.Store(s)
	_, err := l.cover()
	if errors.Is(err, steer.ErrNotSteered) { // CoreDNS answers what does not come to us until watch succeeds
		l.check <- struct{}{}
		err = nil
	}
	if err != nil {
		l.drain(0)
		return nil, fmt.Errorf("on %s: %w", address, err)
	}
	l.ended.Go(l.watch)
	return l, nil
}

// Misrouted must be called when a packet came to CoreDNS's own socket. The listener then looks
// for the reason.
func (l *Listener) Misrouted() {
	l.backend.Load().Meter.Misrouted()
	select {
	case l.check <- struct{}{}:
	default:
	}
}

// trouble logs a reason why packets may miss our sockets, unless it logged that last. CoreDNS
// answers those packets. Only one goroutine at a time may call it.
func (l *Listener) trouble(err error) {
	if reason := err.Error(); reason != l.told {
		l.told = reason
		l.log("fast path on %s: %s", l.address, reason)
	}
}

// panicked counts each panic. It logs the first ones, and then one per second, since a client
// may cause thousands.
func (l *Listener) panicked(s *Backend, cause any) {
	s.Meter.Panicked()
	l.panics.Do(func() { l.log("Recovered from panic in the fast path on %s: %v", l.address, cause) })
}

// giveUp closes the sockets, so that CoreDNS's own socket gets all packets.
func (l *Listener) giveUp(err error) {
	if l.broken.Swap(true) {
		return
	}
	l.log("fast path on %s is given up: %v", l.address, err)
	l.backend.Load().Meter.GivenUp()
	l.stopTaking()
	l.drain(drainTimeout)
}

// stop ends the watch and leaves new packets to CoreDNS's own socket. The caller must call
// drain afterwards.
func (l *Listener) stop() {
	close(l.done)
	l.stopTaking()
}

// stopTaking leaves new packets to CoreDNS's own socket. No socket is opened from then on.
func (l *Listener) stopTaking() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if g := l.group.Load(); g != nil && !l.stopped {
		g.Release()
	}
	l.stopped = true
	for _, s := range l.sockets {
		s.stopTaking()
	}
}

// drain waits until the questions that the sockets got are answered, and closes them.
func (l *Listener) drain(timeout time.Duration) {
	l.mu.Lock()
	sockets := l.sockets
	l.sockets = nil
	l.mu.Unlock()
	drain(sockets, timeout)
}

// awaitEnd returns when all goroutines of a listener that was stopped have ended.
func (l *Listener) awaitEnd() { l.ended.Wait() }
