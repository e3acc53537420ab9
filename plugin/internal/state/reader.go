package state

import (
	"net/netip"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// reader takes values from the beginning of rest. Once it has met something that cannot be, it is
// bad and returns zero values.
type reader struct {
	rest  string
	bad   bool
	lists map[string][]cluster.Port // shared, because most Services have one of a few lists
	ports []cluster.Port            // scratch
}

func (r *reader) fail() { r.rest, r.bad = "", true }

// number returns a number up to most.
func (r *reader) number(most uint64) uint64 {
	var n uint64
	for i := 0; i < len(r.rest) && i < 10; i++ {
		c := r.rest[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.rest = r.rest[i+1:]
			if n > most {
				break
			}
			return n
		}
	}
	r.fail()
	return 0
}

// count returns the length of a list, whose items take at least an octet each of what is left.
func (r *reader) count() int { return int(r.number(uint64(len(r.rest)))) }

func (r *reader) flag() bool { return r.number(1) == 1 }

// text returns a text of at most so many octets. It is a part of the file.
func (r *reader) text(most int) string {
	n := r.count()
	if n > most || n > len(r.rest) {
		r.fail()
		return ""
	}
	text := r.rest[:n]
	r.rest = r.rest[n:]
	return text
}

// label returns a text that can be a label, or is empty.
func (r *reader) label() string { return r.text(maxLabel) }

// name returns a text that can be a label and is not empty.
func (r *reader) name() string {
	s := r.label()
	if s == "" {
		r.fail()
	}
	return s
}

// texts returns a list of texts, or nil if it is empty. Each must fit.
func (r *reader) texts(fits func(string) bool) []string {
	return list(r, func() string {
		s := r.text(maxText)
		if !fits(s) {
			r.fail()
		}
		return s
	})
}

func (r *reader) addr() netip.Addr {
	a, ok := netip.AddrFromSlice([]byte(r.text(16)))
	if !ok || a.Is4In6() {
		r.fail()
	}
	return a
}

func (r *reader) addrs() []netip.Addr { return list(r, r.addr) }

// sharedPorts returns a list that others may share.
func (r *reader) sharedPorts() []cluster.Port {
	before := r.rest
	r.ports = r.ports[:0]
	for range r.count() {
		r.ports = append(r.ports, cluster.Port{Name: r.label(), Protocol: r.label(), Number: uint16(r.number(1<<16 - 1))})
		if r.bad {
			return nil
		}
	}
	spelled := before[:len(before)-len(r.rest)]
	shared, ok := r.lists[spelled]
	if !ok {
		shared = append(shared, r.ports...)
		r.lists[spelled] = shared
	}
	return shared
}

// list returns a list of items, or nil if it is empty.
func list[T any](r *reader, item func() T) []T {
	n := r.count()
	if n == 0 {
		return nil
	}
	items := make([]T, 0, min(n, 16))
	for range n {
		if items = append(items, item()); r.bad {
			return nil
		}
	}
	return items
}

// isTarget reports whether a text is a name or empty, as an alias or a load balancer has it.
func isTarget(s string) bool {
	n, err := dnsname.Parse(s)
	return s == "" || err == nil && n.String() == s
}

// isWire reports whether a text is a name in wire form and lower case.
func isWire(s string) bool {
	n, err := dnsname.ParseWire([]byte(s))
	return err == nil && n.Wire() == s
}
