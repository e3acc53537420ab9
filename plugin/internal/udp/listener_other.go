//go:build !linux

package udp

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"time"
)

// Listener is what only Linux has.
type Listener struct{ backend atomic.Pointer[Backend] }

func listen(netip.AddrPort, *Backend, *Workers, func(string, ...any)) (*Listener, error) {
	return nil, errors.New("the fast path needs Linux")
}

// Misrouted tells that a packet came to CoreDNS's own socket.
func (*Listener) Misrouted() {}

func (*Listener) stop() {}

func (*Listener) drain(time.Duration) {}

func (*Listener) awaitEnd() {}
