// Package reverse names addresses in the reverse trees.
package reverse

import (
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// Names returns all reverse names of an address: an IPv4 address has one as an IPv4-mapped IPv6
// address too (RFC 3596 2.5, RFC 4291 2.5.5.2). It returns none for a text that is no address.
func Names(address string) []string {
	name, err := dns.ReverseAddr(address)
	if err != nil {
		return nil
	}
	names := []string{name}
	if ip := net.ParseIP(address).To4(); ip != nil {
		var mapped strings.Builder
		for _, b := range slices.Backward(ip) {
			fmt.Fprintf(&mapped, "%x.%x.", b&15, b>>4)
		}
		names = append(names, mapped.String()+"f.f.f.f."+strings.Repeat("0.", 20)+"ip6.arpa.")
	}
	return names
}
