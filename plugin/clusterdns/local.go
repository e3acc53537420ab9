package clusterdns

import (
	"net"
	"net/netip"
)

// localAddrs returns the addresses that the server answers on: those it is bound to or,
// without any, those of the machine that others can reach. They show which Services this
// server is an endpoint of. Link-local addresses do not belong in a zone, because only
// neighbours can use them (RFC 4472 2.1).
func localAddrs(bound []string) []netip.Addr {
	if len(bound) > 0 && bound[0] != "" {
		return parseAddrs(bound)
	}
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var addrs []netip.Addr
	for _, a := range interfaces {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && !p.Addr().IsLoopback() && !p.Addr().IsLinkLocalUnicast() {
			addrs = append(addrs, p.Addr())
		}
	}
	return addrs
}

func parseAddrs(texts []string) []netip.Addr {
	var addrs []netip.Addr
	for _, text := range texts {
		if a, err := netip.ParseAddr(text); err == nil && !a.Unmap().IsLinkLocalUnicast() {
			addrs = append(addrs, a.Unmap().WithZone(""))
		}
	}
	return addrs
}
