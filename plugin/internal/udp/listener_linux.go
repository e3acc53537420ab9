package udp

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// maxReaders is how many goroutines read one socket at the same time: no more than
	// are ever busy at the rates that a cluster asks at.
	maxReaders = 8
	// maxAddresses is how many addresses a listener on all of them looks after. The
	// rest is CoreDNS's.
	maxAddresses = 64
	// minPause and maxPause are how long it takes at least from one look at why packets
	// come to CoreDNS's own socket to the next. The pause grows where looking does not help.
	minPause = 10 * time.Millisecond
	maxPause = 5 * time.Second
	// maxSharedPause is that where the look takes no more than a few packets.
	maxSharedPause = 50 * time.Millisecond
	// loggedPanics is how many panics are logged one by one, before one a second is.
	loggedPanics = 10
)

// Listener answers beside CoreDNS on the address of one of its listeners.
type Listener struct {
	address netip.AddrPort // where CoreDNS listens
	log     func(format string, v ...any)
	workers *Workers
	service atomic.Pointer[Service]
	probes  probes

	check chan struct{}
	done  chan struct{}
	ended sync.WaitGroup

	mu      sync.Mutex
	sockets []*socket
	stopped bool

	troubled atomic.Bool
	broken   atomic.Bool
	panics   rate.Sometimes // of log lines
}

// listen opens the sockets. Without one there is no listener.
func listen(address netip.AddrPort, s *Service, workers *Workers, log func(string, ...any)) (*Listener, error) {
	l := &Listener{
		address: address,
		log:     log,
		workers: workers,
		check:   make(chan struct{}, 1),
		done:    make(chan struct{}),
		panics:  rate.Sometimes{First: loggedPanics, Interval: time.Second},
	}
	l.probes.init()
	l.service.Store(s)
	if _, err := l.cover(); err != nil {
		l.drain(0)
		return nil, fmt.Errorf("on %s: %w", address, err)
	}
	l.ended.Go(l.watch)
	return l, nil
}

// everywhere says whether CoreDNS listens on all addresses of the machine.
func (l *Listener) everywhere() bool { return l.address.Addr().IsUnspecified() }

// cover sees to it that packets come to our own sockets, and says whether it changed
// anything.
func (l *Listener) cover() (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return false, nil
	}
	if l.everywhere() {
		return l.coverAll()
	}
	return l.coverShared()
}

// coverAll opens sockets on each address of the machine: the kernel prefers them to
// one on all addresses. An address where another process listens is left alone.
func (l *Listener) coverAll() (bool, error) {
	addresses, err := localAddresses()
	if err != nil {
		return false, err
	}
	if only4 := l.address.Addr().Is4(); only4 {
		addresses = slices.DeleteFunc(addresses, func(a netip.Addr) bool { return !a.Is4() })
	}
	l.closeLocked(func(s *socket) bool { return !slices.Contains(addresses, s.local.Addr()) })
	taken, err := boundElsewhere(l.address.Port())
	if err != nil {
		return false, err
	}
	changed := false
	for _, a := range addresses[:min(len(addresses), maxAddresses)] {
		if l.has(a) || taken[a] {
			continue
		}
		if err := l.openAt(a); err != nil && len(l.sockets) == 0 {
			return false, err
		}
		changed = true
	}
	return changed, nil
}

func (l *Listener) has(a netip.Addr) bool {
	return slices.ContainsFunc(l.sockets, func(s *socket) bool { return s.local.Addr() == a })
}

// openAt opens the socket of one address. Of several, each would sleep and be woken
// for its own packets, which costs more than to answer them.
func (l *Listener) openAt(a netip.Addr) error {
	s, err := l.open(netip.AddrPortFrom(a, l.address.Port()))
	if err != nil {
		return err
	}
	l.sockets = append(l.sockets, s)
	return nil
}

// coverShared opens a socket on CoreDNS's own address and has the kernel send all
// packets to it.
func (l *Listener) coverShared() (bool, error) {
	if len(l.sockets) == 0 {
		if err := l.openAt(l.address.Addr()); err != nil {
			return false, err
		}
	}
	if l.steered(probeTimeouts[0]) {
		return false, nil
	}
	return true, l.steer()
}

// Stray tells that a packet came to CoreDNS's own socket.
func (l *Listener) Stray() {
	l.service.Load().Meter.Stray()
	select {
	case l.check <- struct{}{}:
	default:
	}
}

// watch looks after the sockets where packets miss them: an address may be new, or
// the group of sockets another.
func (l *Listener) watch() {
	pause, last, longest := minPause, time.Now(), maxPause
	if !l.everywhere() {
		longest = maxSharedPause
	}
	for {
		select {
		case <-l.done:
			return
		case <-l.check:
		}
		if changed := l.recover(); changed || time.Since(last) > longest {
			pause = minPause
		} else {
			pause = min(2*pause, longest)
		}
		last = time.Now()
		select {
		case <-l.done:
			return
		case <-time.After(pause):
		}
	}
}

// recover says whether there was something to mend.
func (l *Listener) recover() bool {
	changed, err := l.cover()
	if err != nil {
		l.trouble(err)
	}
	return changed
}

// trouble is logged once. What comes to CoreDNS's own socket meanwhile is answered
// there.
func (l *Listener) trouble(err error) {
	if !l.troubled.Swap(true) {
		l.log("fast path on %s: %v", l.address, err)
	}
}

// panicked counts each panic, and logs the first ones and then one a second: a client
// could have thousands logged.
func (l *Listener) panicked(s *Service, cause any) {
	s.Meter.Panicked()
	l.panics.Do(func() { l.log("Recovered from panic in the fast path on %s: %v", l.address, cause) })
}

// giveUp closes the sockets, so that CoreDNS's own get all packets.
func (l *Listener) giveUp(err error) {
	if l.broken.Swap(true) {
		return
	}
	l.log("fast path on %s is given up: %v", l.address, err)
	l.service.Load().Meter.GivenUp()
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
	if !l.stopped && !l.everywhere() {
		l.unsteer()
	}
	l.stopped = true
	for _, s := range l.sockets {
		s.stopTaking()
	}
}

// drain waits until what came to the sockets is answered, by CoreDNS too, but no longer
// than the timeout, and closes them. There is one wait for all of them.
func (l *Listener) drain(timeout time.Duration) {
	l.mu.Lock()
	sockets := l.sockets
	l.sockets = nil
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	awaitIdle(ctx, sockets)
	for _, s := range sockets {
		s.close()
	}
	for _, s := range sockets {
		s.awaitReader(ctx)
	}
}

// awaitWatch returns when the watch of a listener that was stopped has ended.
func (l *Listener) awaitWatch() { l.ended.Wait() }

func (l *Listener) closeLocked(gone func(*socket) bool) {
	l.sockets = slices.DeleteFunc(l.sockets, func(s *socket) bool {
		if gone(s) {
			s.close()
			return true
		}
		return false
	})
}
