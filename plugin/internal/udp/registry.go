package udp

import (
	"net/netip"
	"sync"
	"time"
)

// drainTimeout is how long what came to our sockets may take. CoreDNS gives its own
// sockets as much.
const drainTimeout = 5 * time.Second

// Registry has the listeners of the process.
type Registry struct {
	mu        sync.Mutex
	listeners map[netip.AddrPort]*Listener
	workers   *Workers
	log       func(format string, v ...any)

	draining     sync.WaitGroup
	drainTimeout time.Duration
}

// NewRegistry makes a registry without listeners. The log is told of trouble.
func NewRegistry(log func(format string, v ...any)) *Registry {
	return &Registry{listeners: map[netip.AddrPort]*Listener{}, workers: NewWorkers(), log: log, drainTimeout: drainTimeout}
}

// Serve answers beside CoreDNS on the address of one of its listeners, from now on
// with the backend. It returns the listener, to be told of packets that miss it.
func (r *Registry) Serve(address netip.AddrPort, s *Backend) (*Listener, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l, ok := r.listeners[address]; ok {
		l.backend.Store(s)
		return l, nil
	}
	l, err := listen(address, s, r.workers, r.log)
	if err != nil {
		return nil, err
	}
	r.listeners[address] = l
	return l, nil
}

// Stop has no more packets come to the listeners that serve for an owner. Those that
// serve for another by now stay. What came before is answered in the background: see Wait.
func (r *Registry) Stop(owner any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for address, l := range r.listeners {
		if l.backend.Load().Owner == owner {
			r.stop(address, l)
		}
	}
}

// StopAt stops the listener on an address, if there is one: CoreDNS answers there
// alone.
func (r *Registry) StopAt(address netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l, ok := r.listeners[address]; ok {
		r.stop(address, l)
	}
}

func (r *Registry) stop(address netip.AddrPort, l *Listener) {
	delete(r.listeners, address)
	l.stop()
	r.draining.Go(func() {
		l.drain(r.drainTimeout)
		l.awaitEnd()
	})
}

// Wait returns when the listeners that were stopped have answered what came to them, or
// have taken too long. No listener may be stopped meanwhile.
func (r *Registry) Wait() { r.draining.Wait() }
