package udp

import (
	"net/netip"
	"sync"
	"time"
)

// drainTimeout is the time that CoreDNS has to answer the questions of sockets that stop. It
// gives its own sockets as much.
const drainTimeout = 5 * time.Second

// Registry holds the listeners of the process. A reload changes what they serve.
type Registry struct {
	mu        sync.Mutex
	listeners map[netip.AddrPort]*Listener
	workers   *workers
	log       func(format string, v ...any)

	draining     sync.WaitGroup
	drainTimeout time.Duration
}

// NewRegistry returns a registry without listeners, which logs trouble with sockets.
func NewRegistry(log func(format string, v ...any)) *Registry {
	return &Registry{listeners: map[netip.AddrPort]*Listener{}, workers: newWorkers(), log: log, drainTimeout: drainTimeout}
}

// Serve starts to answer with the backend at the address of one of CoreDNS's own sockets.
// The caller must call Misrouted for packets that arrive at CoreDNS's socket.
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

// Stop leaves new packets to CoreDNS's own sockets where listeners serve a backend of the
// owner. Earlier questions are answered in the background: see Wait. Listeners that now
// serve another owner's backend go on.
func (r *Registry) Stop(owner any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for address, l := range r.listeners {
		if l.backend.Load().Owner == owner {
			r.stop(address, l)
		}
	}
}

// StopAt stops the listener at an address, if there is one.
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

// Wait returns when the questions of all stopped listeners are answered, or have taken too
// long. No listener may be stopped meanwhile.
func (r *Registry) Wait() { r.draining.Wait() }
