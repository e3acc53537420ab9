package udp

import (
	"net/netip"
	"slices"
	"time"
)

const (
	// maxAddresses is how many addresses a listener on all of them looks after. The
	// rest is CoreDNS's.
	maxAddresses = 64
	// minPause and maxPause bound the time from one look at why packets come to
	// CoreDNS's own socket to the next. The pause grows where looking does not help.
	minPause = 10 * time.Millisecond
	maxPause = 5 * time.Second
	// maxSharedPause is the longest pause where a look takes no more than a few packets.
	maxSharedPause = 50 * time.Millisecond
	// lookShare bounds the part of the time that looks take: one in so many.
	lookShare = 50
)

// attempts are those to open a socket at an address, all of which failed.
type attempts struct {
	since time.Time
	count int
	told  bool
}

// watch looks after the sockets where packets miss them: an address may be new, or
// the group of sockets another. On all addresses it also looks from time to time for
// servers that came later than ours.
func (l *Listener) watch() {
	pause, quietSince := minPause, time.Now()
	for {
		missed, ended := l.await(l.check, maxPause)
		if ended {
			return
		}
		l.countLost()
		if !missed && !l.isWildcard() {
			continue
		}
		start := time.Now()
		pause = l.look(pause, start.Sub(quietSince))
		if l.isWildcard() {
			pause = max(pause, min(lookShare*time.Since(start), maxPause))
		}
		if _, ended := l.await(nil, pause); ended {
			return
		}
		quietSince = time.Now()
	}
}

// countLost counts what the kernel dropped at sockets that are not read in full batches.
func (l *Listener) countLost() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.sockets {
		s.countLost()
	}
}

// look covers, and returns the pause until the next look: longer than the last where
// packets go on missing our sockets.
func (l *Listener) look(last, quiet time.Duration) time.Duration {
	longest := maxPause
	if !l.isWildcard() {
		longest = maxSharedPause
	}
	changed, err := l.cover()
	switch {
	case err != nil:
		l.trouble(err)
		return min(2*last, maxPause)
	case changed || quiet >= longest:
		return minPause
	}
	return min(2*last, longest)
}

// await waits for the check, but no longer than the timeout. It reports whether the check
// came, and whether the listener has ended.
func (l *Listener) await(check <-chan struct{}, timeout time.Duration) (checked, ended bool) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	select {
	case <-l.done:
		return false, true
	case <-check:
		return true, false
	case <-timer.C:
		return false, false
	}
}

// isWildcard reports whether CoreDNS listens on all addresses of the machine.
func (l *Listener) isWildcard() bool { return l.address.Addr().IsUnspecified() }

// cover has packets come to our own sockets. It reports whether it changed anything.
func (l *Listener) cover() (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped {
		return false, nil
	}
	if l.isWildcard() {
		return l.coverAll()
	}
	return l.coverShared()
}

// coverAll opens sockets on each address of the machine: the kernel prefers them to
// one on all addresses. An address where another server listens is left to it, also if
// that server came later.
func (l *Listener) coverAll() (bool, error) {
	addresses, err := l.machineAddresses()
	if err != nil {
		return false, err
	}
	taken, err := boundElsewhere(l.address.Port(), l.inodes())
	if err != nil {
		return false, err
	}
	l.giveBack(addresses, taken)
	changed := false
	var failed error
	for _, a := range addresses {
		if l.has(a) || taken[a] {
			continue
		}
		if err := l.openAt(a); err != nil {
			failed = l.noteFailure(a, err)
			continue
		}
		delete(l.unbound, a)
		changed = true
	}
	if len(l.sockets) == 0 {
		return changed, failed
	}
	return changed, nil
}

// machineAddresses are those that the listener looks after.
func (l *Listener) machineAddresses() ([]netip.Addr, error) {
	addresses, err := localAddresses()
	if l.address.Addr().Is4() {
		addresses = slices.DeleteFunc(addresses, func(a netip.Addr) bool { return !a.Is4() })
	}
	return addresses[:min(len(addresses), maxAddresses)], err
}

// inodes are those of our sockets, by which the kernel's list names them.
func (l *Listener) inodes() map[uint64]bool {
	set := map[uint64]bool{}
	for _, s := range l.sockets {
		set[s.inode] = true
	}
	return set
}

// giveBack closes the sockets at addresses that the machine no longer has, or at which
// another server listens. What came to them is answered in the background.
func (l *Listener) giveBack(addresses []netip.Addr, taken map[netip.Addr]bool) {
	var gone []*socket
	l.sockets = slices.DeleteFunc(l.sockets, func(s *socket) bool {
		a := s.local.Addr()
		if taken[a] {
			l.log("fast path on %s leaves %s to another server that listens there", l.address, a)
		}
		if !taken[a] && slices.Contains(addresses, a) {
			return false
		}
		s.stopTaking()
		gone = append(gone, s)
		return true
	})
	if len(gone) > 0 {
		l.ended.Go(func() { drain(gone, drainTimeout) })
	}
	for a := range l.unbound {
		if taken[a] || !slices.Contains(addresses, a) {
			delete(l.unbound, a)
		}
	}
}

// noteFailure remembers that an address cannot be bound, and logs it once if that lasts:
// an IPv6 address that is new cannot be bound for a second or two (RFC 4862 5.4).
func (l *Listener) noteFailure(a netip.Addr, err error) error {
	n := l.unbound[a]
	if n == nil {
		n = &attempts{since: time.Now()}
		l.unbound[a] = n
	}
	n.count++
	if !n.told && time.Since(n.since) > maxPause {
		n.told = true
		l.log("fast path on %s leaves %s to CoreDNS: %v", l.address, a, err)
	}
	return err
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
