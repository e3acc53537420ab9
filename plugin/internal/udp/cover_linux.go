package udp

import (
	"net/netip"
	"slices"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/machine"
	"github.com/clusterdns/clusterdns/plugin/internal/steer"
)

const (
	// maxAddresses is the number of the machine's addresses for which a wildcard listener
	// opens sockets. CoreDNS's own socket serves the others.
	maxAddresses = 64
	// minPause and maxPause bound the pause between two looks at why packets come to
	// CoreDNS's own socket. The pause doubles while looking changes nothing.
	minPause = 10 * time.Millisecond
	maxPause = 5 * time.Second
	// maxSharedPause is the longest pause on a single address, where a look costs no more
	// than a few packets.
	maxSharedPause = 50 * time.Millisecond
	// lookShare bounds the time that looks take: a pause is so many times longer.
	lookShare = 50
)

// attempts describes the failed attempts to open a socket at an address.
type attempts struct {
	since time.Time
	count int
	told  bool
}

// watch looks for the reason when packets miss our sockets: the machine may have a new address,
// or other sockets may have joined or left the group. A wildcard listener also looks every few
// seconds for servers that started after it.
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

// countLost counts the packets that the kernel dropped at all sockets.
func (l *Listener) countLost() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range l.sockets {
		s.countLost()
	}
}

// look calls cover, and returns the pause until the next look. It doubles the pause while
// packets miss our sockets and cover changes nothing.
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

// await waits until there is something to check, but no longer than the timeout. It reports
// whether there is, and whether the listener has ended.
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

// cover opens and steers sockets so that packets come to ours. It reports whether it changed
// anything.
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

// coverAll opens a socket on each address of the machine, since the kernel prefers it to a
// wildcard socket. It leaves an address to another server that listens there, even if that
// server started later.
func (l *Listener) coverAll() (bool, error) {
	addresses, err := l.machineAddresses()
	if err != nil {
		return false, err
	}
	taken, err := machine.BoundElsewhere(l.address.Port(), l.inodes())
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

// machineAddresses returns the addresses that a wildcard listener serves.
func (l *Listener) machineAddresses() ([]netip.Addr, error) {
	addresses, err := machine.Addresses()
	if l.address.Addr().Is4() {
		addresses = slices.DeleteFunc(addresses, func(a netip.Addr) bool { return !a.Is4() })
	}
	return addresses[:min(len(addresses), maxAddresses)], err
}

// inodes returns the inodes of our sockets, which identify them in /proc/net/udp.
func (l *Listener) inodes() map[uint64]bool {
	set := map[uint64]bool{}
	for _, s := range l.sockets {
		set[s.inode] = true
	}
	return set
}

// giveBack closes the sockets at addresses that the machine no longer has, or at which
// another server listens. The questions that they have received are answered in the
// background.
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

// noteFailure records that an address cannot be bound. It logs that once, and only if it
// lasts: a new IPv6 address cannot be bound for a second or two (RFC 4862 5.4).
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

// openAt opens one socket at an address. The readers of several sockets would be woken one by
// one, which costs more than the answers.
func (l *Listener) openAt(a netip.Addr) error {
	s, err := l.open(netip.AddrPortFrom(a, l.address.Port()))
	if err != nil {
		return err
	}
	l.sockets = append(l.sockets, s)
	return nil
}

// coverShared opens a socket on the address of CoreDNS's own, and makes the kernel send all
// packets to ours.
func (l *Listener) coverShared() (bool, error) {
	if len(l.sockets) == 0 {
		if err := l.openAt(l.address.Addr()); err != nil {
			return false, err
		}
		l.group.Store(steer.New(l.address, l.sockets[0].raw, l.done))
	}
	return l.group.Load().Steer()
}
