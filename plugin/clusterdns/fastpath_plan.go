package clusterdns

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/plugin/internal/corefile"
	"github.com/clusterdns/clusterdns/plugin/internal/udp"
	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// plan is what is to be done at one listener: questions are answered, or all are handed
// over, or CoreDNS's own sockets get all packets.
type plan struct {
	service *udp.Backend // nil for the last
	reason  string       // why nothing is answered, empty where we have no server block
}

// plan decides what is answered at a listener. Where nothing can be, our sockets still
// read: what they hand over costs less than through CoreDNS's own.
func (f *fastPath) plan(s *dnsserver.Server, address netip.AddrPort) *plan {
	if reason, ours := f.off(s, address); reason != "" || !ours {
		return &plan{reason: reason}
	}
	service := &udp.Backend{
		Owner: f, Local: localAddr(address), Secrets: s.TsigSecret, Handler: s, Context: contextOf(s), Meter: newListenerMeter(s.Addr),
	}
	reasons, whole := f.addBlocks(service, s)
	if whole || !slices.ContainsFunc(service.Zones, func(z udp.Zone) bool { return z.Block != nil }) {
		service.Zones = nil
		return &plan{service: service, reason: strings.Join(reasons, "; ")}
	}
	for _, reason := range reasons {
		f.log.Infof("fast path at %s leaves a server block out: %s", s.Addr, reason)
	}
	return &plan{service: service}
}

// off says why not even a packet is to be read at a listener, and whether a server block
// of ours is there at all.
func (f *fastPath) off(s *dnsserver.Server, address netip.AddrPort) (reason string, ours bool) {
	switch {
	case os.Getenv(fastPathVariable) == "off":
		return fastPathVariable + " is off", true
	case address.Port() == 0:
		return "the system chooses the port", true
	case f.unread != nil:
		return f.unread.Error(), true
	}
	for i := range f.blocks {
		b := &f.blocks[i]
		for _, cfg := range b.Configs {
			if corefile.Listens(cfg, s.Addr) {
				ours = ours || f.handlers[b.Configs[0]] != nil
				reason = cmp.Or(reason, f.unreadable(b, cfg))
			}
		}
	}
	if !ours {
		reason = ""
	}
	return reason, ours
}

// unreadable says what makes a listener one whose packets are not for us to read,
// whatever block they are for: what CoreDNS does with them is more than Server.ServeDNS.
func (f *fastPath) unreadable(b *corefile.Block, cfg *dnsserver.Config) string {
	switch {
	case cfg.ProxyProtoConnPolicy != nil:
		return "the plugin proxyproto changes who the client is"
	case b.Tokens["dynupdate"] != nil:
		return "the plugin dynupdate takes messages that are no questions"
	case f.others[b.Configs[0]]:
		return "a plugin decorates what CoreDNS's own sockets write"
	}
	return ""
}

// addBlocks adds the zones of all server blocks of a listener. The reasons are those for
// which blocks of ours are not answered, or, if whole, the one for which none is.
func (f *fastPath) addBlocks(service *udp.Backend, s *dnsserver.Server) (reasons []string, whole bool) {
	for i := range f.blocks {
		if err := f.addZones(service, &f.blocks[i], s); err != nil {
			reasons = append(reasons, err.Error())
			if errors.As(err, new(listenerError)) {
				return []string{err.Error()}, true
			}
		}
	}
	slices.SortStableFunc(service.Zones, func(a, b udp.Zone) int { return cmp.Compare(b.Origin.Labels(), a.Origin.Labels()) })
	return slices.Compact(reasons), false
}

// localAddr is what CoreDNS's own socket says of itself: on all addresses it is one for
// both families.
func localAddr(address netip.AddrPort) net.Addr {
	if address.Addr().IsUnspecified() {
		address = netip.AddrPortFrom(netip.IPv6Unspecified(), address.Port())
	}
	return net.UDPAddrFromAddrPort(address)
}

// listenerError is a reason that counts for all server blocks of a listener.
type listenerError struct{ error }

// addZones adds the zones of a server block that are served at the listener. If they
// are not to be answered from here, the error says why, and their questions are
// handed over.
func (f *fastPath) addZones(service *udp.Backend, b *corefile.Block, s *dnsserver.Server) error {
	var block *udp.Block
	var left error
	for _, cfg := range b.Configs {
		if !corefile.Listens(cfg, s.Addr) {
			continue
		}
		if corefile.Filtered(cfg) {
			return listenerError{errors.New("the plugin view chooses the server block by more than the name")}
		}
		ours := f.handlers[b.Configs[0]]
		if ours != nil && block == nil && left == nil {
			block, left = ours.block(b, s)
		}
		origin, err := zone.ParseOrigin(cfg.Zone)
		if err != nil {
			return listenerError{fmt.Errorf("zone %s of the server block %s: %w", cfg.Zone, strings.Join(b.Keys, " "), err)}
		}
		service.Zones = append(service.Zones, udp.Zone{Origin: origin, Block: block})
	}
	return left
}
