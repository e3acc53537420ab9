package dnsname

import (
	"net/netip"
	"strconv"
	"strings"
)

// DashedSize is the size of a buffer for the longest label of an address.
const DashedSize = 64

// Dashed returns the label of an address: 10-0-0-1, 2001-db8--1. A label must not end in a
// dash (RFC 1123 2.1), so Dashed adds the zero that a trailing dash stands for.
func Dashed(a netip.Addr) string { return string(AppendDashed(nil, a)) }

// AppendDashed appends the label of an address.
func AppendDashed(dst []byte, a netip.Addr) []byte {
	if a.Is4() {
		return appendDashed4(dst, a.As4())
	}
	start := len(dst)
	dst = a.AppendTo(dst)
	for i := start; i < len(dst); i++ {
		if dst[i] == ':' {
			dst[i] = '-'
		}
	}
	if dst[len(dst)-1] == '-' {
		dst = append(dst, '0')
	}
	return dst
}

func appendDashed4(dst []byte, octets [4]byte) []byte {
	for i, octet := range octets {
		if i > 0 {
			dst = append(dst, '-')
		}
		dst = strconv.AppendUint(dst, uint64(octet), 10)
	}
	return dst
}

// ParseDashed returns the address that a label with dashes stands for. Several labels may
// stand for one IPv6 address.
func ParseDashed(label string) (netip.Addr, bool) {
	if strings.Count(label, "-") == 3 && !strings.Contains(label, "--") {
		return parseDashed4(label)
	}
	return parseDashed6(label)
}

func parseDashed4(label string) (netip.Addr, bool) {
	var b [4]byte
	for i := range b {
		text, rest, _ := strings.Cut(label, "-")
		octet, ok := parseOctet(text)
		if !ok {
			return netip.Addr{}, false
		}
		b[i], label = octet, rest
	}
	return netip.AddrFrom4(b), true
}

// parseOctet parses a decimal number up to 255 without leading zeros.
func parseOctet(text string) (byte, bool) {
	if len(text) == 0 || len(text) > 3 || len(text) > 1 && text[0] == '0' {
		return 0, false
	}
	n := 0
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return 0, false
		}
		n = 10*n + int(text[i]-'0')
	}
	return byte(n), n <= 255
}

// parseDashed6 parses eight groups, or fewer with one "--" in place of the omitted groups
// of zeros (RFC 4291 2.2).
func parseDashed6(label string) (netip.Addr, bool) {
	head, tail, elided := strings.Cut(label, "--")
	var b, low [16]byte
	before, ok := parseGroups(b[:], head)
	if !ok {
		return netip.Addr{}, false
	}
	after, ok := parseGroups(low[:], tail)
	if !ok || elided && before+after > 14 || !elided && before != len(b) {
		return netip.Addr{}, false
	}
	copy(b[len(b)-after:], low[:after])
	return netip.AddrFrom16(b).Unmap(), true
}

// parseGroups parses groups of up to four hexadecimal digits with dashes between them, and
// returns the number of octets that they fill.
func parseGroups(dst []byte, text string) (int, bool) {
	filled := 0
	for more := text != ""; more; filled += 2 {
		var group string
		group, text, more = strings.Cut(text, "-")
		if filled == len(dst) || group == "" || len(group) > 4 {
			return 0, false
		}
		for i := range len(group) {
			digit, ok := hexDigit(group[i])
			if !ok {
				return 0, false
			}
			dst[filled], dst[filled+1] = dst[filled]<<4|dst[filled+1]>>4, dst[filled+1]<<4|digit
		}
	}
	return filled, true
}

// hexDigit returns the value of a hexadecimal digit.
func hexDigit(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
