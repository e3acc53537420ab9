package udp

import (
	"net/netip"
	"sync"
)

// Registry has the listeners of the process.
type Registry struct {
	mu        sync.Mutex
	listeners map[netip.AddrPort]*Listener
	workers   *Workers
	log       func(format string, v ...any)
}

// NewRegistry makes a registry without listeners. The log is told of trouble.
func NewRegistry(log func(format string, v ...any)) *Registry {
	return &Registry{listeners: map[netip.AddrPort]*Listener{}, workers: NewWorkers(), log: log}
}

// Serve answers beside CoreDNS on the address of one of its listeners, from now on
// with the service. It returns the listener, to be told of strays.
func (r *Registry) Serve(address netip.AddrPort, s *Service) (*Listener, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l, ok := r.listeners[address]; ok {
		l.service.Store(s)
		return l, nil
	}
	l, err := listen(address, s, r.workers, r.log)
	if err != nil {
		return nil, err
	}
	r.listeners[address] = l
	return l, nil
}

// Stop closes the listeners that serve for an owner. Those that serve for another
// by now stay.
func (r *Registry) Stop(owner any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for address, l := range r.listeners {
		if l.service.Load().Owner == owner {
			delete(r.listeners, address)
			l.Close()
		}
	}
}

// StopAt closes the listener on an address, if there is one: CoreDNS answers there
// alone.
func (r *Registry) StopAt(address netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l, ok := r.listeners[address]; ok {
		delete(r.listeners, address)
		l.Close()
	}
}
