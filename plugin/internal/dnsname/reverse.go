package dnsname

import "net/netip"

// The reverse trees and arpa, the name above them, in wire form (RFC 1035 3.5, RFC 3596
// 2.5).
const (
	Arpa     = "\x04arpa\x00"
	reverse4 = "\x07in-addr" + Arpa
	reverse6 = "\x03ip6" + Arpa
)

// mappedBits is the size of the prefix of IPv4-mapped IPv6 addresses (RFC 4291 2.5.5.2).
const mappedBits = 96

// IsReverse reports whether the name is in one of the reverse trees.
func (n *Name) IsReverse() bool {
	return n.count >= 2 && (n.suffix(2) == reverse4 || n.suffix(2) == reverse6)
}

// ReversePrefix returns the addresses that a name in a reverse tree stands for: one
// address, or the prefix of all addresses below a shorter name. The name must be in a
// reverse tree. An IPv4-mapped IPv6 address is the IPv4 address: a server with a socket for
// both families sees its clients in that form, and c-ares, unlike libc, looks it up in
// ip6.arpa.
func ReversePrefix(n *Name) (netip.Prefix, bool) {
	labels := n.count - 2
	if n.suffix(2) == reverse4 {
		return reversePrefix4(n, labels)
	}
	return reversePrefix6(n, labels)
}

func reversePrefix4(n *Name, labels int) (netip.Prefix, bool) {
	var b [4]byte
	if labels > len(b) {
		return netip.Prefix{}, false
	}
	for i := range labels {
		octet, ok := parseOctet(n.Label(labels - 1 - i))
		if !ok {
			return netip.Prefix{}, false
		}
		b[i] = octet
	}
	return netip.PrefixFrom(netip.AddrFrom4(b), labels*8), true
}

func reversePrefix6(n *Name, labels int) (netip.Prefix, bool) {
	var b [16]byte
	if labels > 2*len(b) {
		return netip.Prefix{}, false
	}
	for i := range labels {
		label := n.Label(labels - 1 - i)
		if len(label) != 1 {
			return netip.Prefix{}, false
		}
		nibble, ok := hexDigit(label[0])
		if !ok {
			return netip.Prefix{}, false
		}
		b[i/2] |= nibble << (4 * (1 - i%2))
	}
	if a := netip.AddrFrom16(b); labels*4 >= mappedBits && a.Is4In6() {
		return netip.PrefixFrom(a.Unmap(), labels*4-mappedBits), true
	}
	return netip.PrefixFrom(netip.AddrFrom16(b), labels*4), true
}
