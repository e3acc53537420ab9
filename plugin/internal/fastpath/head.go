package fastpath

import (
	"net/netip"
	"os"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/metrics/vars"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/tcp"
)

// Protocols, as the plugin prometheus names them: it takes every transport but plain UDP for TCP.
const (
	udpProto    = "udp"
	streamProto = "tcp"
)

// HeadOf returns what the first handler of the plugin chain may answer at a server, over transports
// other than plain UDP, or nil. The conditions are those of our sockets. It must not be called
// before the server has started.
func (f *Instance) HeadOf(s *dnsserver.Server) *tcp.Server {
	if head, ok := f.heads.Load(s); ok {
		return head.(*tcp.Server)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	head, _ := f.heads.LoadOrStore(s, f.newHead(s))
	return head.(*tcp.Server)
}

func (f *Instance) newHead(s *dnsserver.Server) *tcp.Server {
	if os.Getenv(variable) == "off" || f.unread != nil {
		return nil
	}
	zones, _ := f.zones(s, streamProto)
	if zones == nil {
		return nil
	}
	head := &tcp.Server{
		Zones: zones, Handler: s, Context: contextOf(s), Panicked: f.panicked,
		Takes: f.takesConnections(s), Idle: s.IdleTimeout, Write: s.WriteTimeout, Aside: f.aside, Crowd: f.crowd,
	}
	head.Pause(f.restarting || f.stopped)
	return head
}

// takesConnections reports whether CoreDNS does no more with a connection to a server than to have
// each question answered by Server.ServeDNS, so that we may read it.
func (f *Instance) takesConnections(s *dnsserver.Server) bool {
	if s.MaxTCPQueries != unlimited || len(s.TsigSecret) > 0 {
		return false
	}
	for i := range f.blocks {
		for _, cfg := range f.blocks[i].Configs {
			if corefile.Listens(cfg, s.Addr) && altersMessages(&f.blocks[i], cfg) != nil {
				return false
			}
		}
	}
	return true
}

// unlimited is the number of questions that a connection may have by default.
const unlimited = -1

// pauseHeads makes the first handlers take no more connections, or take them again. The caller has
// locked f.mu.
func (f *Instance) pauseHeads(is bool) {
	f.heads.Range(func(_, head any) bool {
		if h := head.(*tcp.Server); h != nil {
			h.Pause(is)
		}
		return true
	})
}

// crowded logs, at most once a minute, that a connection ended for others.
func (f *Instance) crowded(client netip.Addr, has int) {
	f.crowds.Do(func() {
		f.log.Warningf("more TCP connections than the memory and the open files that this process may have bear: idle ones of %s, which has %d, are closed", client, has)
	})
}

// panicked counts each panic, and logs the first ones and then one per second.
func (f *Instance) panicked(cause any) {
	vars.Panic.Inc()
	f.panics.Do(func() { f.log.Errorf("Recovered from panic at the head of the plugin chain: %v", cause) })
}
