//go:build !linux

package udp

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"time"
)

// Listener does nothing: the fast path needs Linux.
type Listener struct{ backend atomic.Pointer[Backend] }

func listen(netip.AddrPort, *Backend, *workers, func(string, ...any)) (*Listener, error) {
	return nil, errors.New("the fast path needs Linux")
}

// Misrouted does nothing.
func (*Listener) Misrouted() {}

func (*Listener) stop() {}

func (*Listener) drain(time.Duration) {}

func (*Listener) awaitEnd() {}
