package fastpath

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
)

// plan says what happens at one listener: our sockets answer questions, or hand all of them
// over, or leave all packets to CoreDNS's own sockets.
type plan struct {
	backend *udp.Backend // nil if all packets are left to CoreDNS
	reason  error        // why nothing is answered; nil if there is no server block of ours
	left    []error      // why server blocks of ours are left out, if others are not
}

// plan decides what is answered at a listener. If nothing can be, our sockets still read,
// because handing a question over costs less than a read by CoreDNS's own socket.
func (f *Instance) plan(s *dnsserver.Server, address netip.AddrPort) *plan {
	if ours, err := f.off(s, address); err != nil || !ours {
		return &plan{reason: err}
	}
	backend := &udp.Backend{
		Owner: f, Local: localAddr(address), Secrets: s.TsigSecret, Handler: s, Context: contextOf(s), Meter: f.metrics.Listener(s.Addr),
	}
	zones, reasons := f.zones(s, udpProto)
	if zones == nil {
		return &plan{backend: backend, reason: together(reasons)}
	}
	backend.Zones = zones
	return &plan{backend: backend, left: reasons}
}

// together returns one error for all reasons, in one line, or nil.
func together(reasons []error) error {
	if len(reasons) < 2 {
		return errors.Join(reasons...)
	}
	texts := make([]string, len(reasons))
	for i, reason := range reasons {
		texts[i] = reason.Error()
	}
	return joined{errors.New(strings.Join(texts, "; ")), reasons}
}

// joined is an error in one line for several.
type joined struct {
	error
	all []error
}

// Unwrap returns the errors.
func (j joined) Unwrap() []error { return j.all }

// off returns the reason why our sockets stay closed at a listener, or nil. ours reports
// whether the listener has a server block of ours.
func (f *Instance) off(s *dnsserver.Server, address netip.AddrPort) (ours bool, reason error) {
	switch {
	case os.Getenv(variable) == "off":
		return true, errors.New(variable + " is off")
	case address.Port() == 0:
		return true, errors.New("the system chooses the port")
	case f.unread != nil:
		return true, f.unread
	}
	for i := range f.blocks {
		b := &f.blocks[i]
		for _, cfg := range b.Configs {
			if corefile.Listens(cfg, s.Addr) {
				ours = ours || f.handlers[b.Configs[0]] != nil
				if reason == nil {
					reason = f.unreadable(b, cfg)
				}
			}
		}
	}
	if !ours {
		reason = nil
	}
	return ours, reason
}

// unreadable returns the reason why our sockets must not read the packets of a listener, or
// nil. CoreDNS then does more with them than Server.ServeDNS.
func (f *Instance) unreadable(b *corefile.Block, cfg *dnsserver.Config) error {
	if err := altersMessages(b, cfg); err != nil {
		return err
	}
	if f.decorators[b.Configs[0]] {
		return errors.New("a plugin decorates what CoreDNS's own sockets write")
	}
	return nil
}

// altersMessages returns the reason why CoreDNS does more with the messages of a listener, over any
// transport, than Server.ServeDNS, or nil.
func altersMessages(b *corefile.Block, cfg *dnsserver.Config) error {
	switch {
	case cfg.ProxyProtoConnPolicy != nil:
		return b.Obstacle("proxyproto", errors.New("the plugin proxyproto changes the client's address"))
	case b.Tokens["dynupdate"] != nil:
		return b.Obstacle("dynupdate", errors.New("the plugin dynupdate handles messages that are not questions"))
	}
	return nil
}

// zones returns the zones of all server blocks of a listener, with meters for a protocol as the
// plugin prometheus names it, and the reasons why questions for blocks of ours are handed over. It
// returns no zones if all questions are handed over.
func (f *Instance) zones(s *dnsserver.Server, proto string) (zones reply.Zones, reasons []error) {
	for i := range f.blocks {
		added, err := f.zonesOf(&f.blocks[i], s, proto)
		if errors.As(err, new(listenerError)) {
			return nil, []error{err}
		}
		if err != nil {
			reasons = append(reasons, err)
		}
		zones = append(zones, added...)
	}
	if !slices.ContainsFunc(zones, func(z reply.Zone) bool { return z.Block != nil }) {
		zones = nil
	}
	slices.SortStableFunc(zones, func(a, b reply.Zone) int { return cmp.Compare(b.Origin.Labels(), a.Origin.Labels()) })
	return zones, slices.CompactFunc(reasons, func(a, b error) bool { return a.Error() == b.Error() })
}

// localAddr returns the local address of CoreDNS's own socket. A socket for all addresses
// serves both families.
func localAddr(address netip.AddrPort) net.Addr {
	if address.Addr().IsUnspecified() {
		address = netip.AddrPortFrom(netip.IPv6Unspecified(), address.Port())
	}
	return net.UDPAddrFromAddrPort(address)
}

// listenerError is a reason that holds for all server blocks of a listener.
type listenerError struct{ error }

// Unwrap returns the reason.
func (e listenerError) Unwrap() error { return e.error }

// zonesOf returns the zones of a server block that are served at the listener. An error says
// why their questions are handed over.
func (f *Instance) zonesOf(b *corefile.Block, s *dnsserver.Server, proto string) (zones reply.Zones, left error) {
	var block *reply.Block
	for _, cfg := range b.Configs {
		if !corefile.Listens(cfg, s.Addr) {
			continue
		}
		if corefile.Filtered(cfg) {
			return nil, listenerError{b.Obstacle("view", errors.New("the plugin view chooses the server block by more than the name"))}
		}
		ours := f.handlers[b.Configs[0]]
		if ours != nil && block == nil && left == nil {
			block, left = f.block(ours, b, s, proto)
		}
		origin, err := resolve.ParseOrigin(cfg.Zone)
		if err != nil {
			return nil, listenerError{fmt.Errorf("zone %s of the server block %s: %w", cfg.Zone, strings.Join(b.Keys, " "), err)}
		}
		zones = append(zones, reply.Zone{Origin: origin, Block: block})
	}
	return zones, left
}

// contextOf returns the context that a server's own reader passes on with each message.
func contextOf(s *dnsserver.Server) context.Context {
	ctx := context.WithValue(context.Background(), dnsserver.Key{}, s)
	return context.WithValue(ctx, dnsserver.LoopKey{}, 0)
}
