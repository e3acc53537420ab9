//go:build !linux

package udp

import (
	"errors"
	"net/netip"
	"sync/atomic"
	"time"
)

// Listener is what only Linux has.
type Listener struct{ service atomic.Pointer[Service] }

func listen(netip.AddrPort, *Service, *Workers, func(string, ...any)) (*Listener, error) {
	return nil, errors.New("the fast path needs Linux")
}

// Stray tells that a packet came to CoreDNS's own socket.
func (*Listener) Stray() {}

func (*Listener) stop() {}

func (*Listener) drain(time.Duration) {}

func (*Listener) awaitEnd() {}
