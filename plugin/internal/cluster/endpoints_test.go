package cluster

import (
	"net/netip"
	"slices"
	"testing"
)

func TestEndpoints(t *testing.T) {
	id := &Identity{Hostname: "db-0"}
	for _, tc := range []struct {
		name string
		list []Endpoint
	}{
		{"none", nil},
		{"IPv4", []Endpoint{{Addr: netip.MustParseAddr("10.0.0.1")}, {Addr: netip.MustParseAddr("10.0.0.2")}, {Addr: netip.MustParseAddr("10.0.0.2")}, {Addr: netip.MustParseAddr("192.0.2.1")}}},
		{"IPv6", []Endpoint{{Addr: netip.MustParseAddr("2001:db8::1")}, {Addr: netip.MustParseAddr("2001:db8::2")}}},
		{"both families", []Endpoint{{Addr: netip.MustParseAddr("10.0.0.1"), Identity: id}, {Addr: netip.MustParseAddr("255.0.0.1")}, {Addr: netip.MustParseAddr("::1")}, {Addr: netip.MustParseAddr("2001:db8::1")}}},
		{"identities", []Endpoint{{Addr: netip.MustParseAddr("10.0.0.1")}, {Addr: netip.MustParseAddr("10.0.0.2"), Identity: id}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			backwards := slices.Clone(tc.list)
			slices.Reverse(backwards)
			p, q := PackEndpoints(slices.Clone(tc.list)), PackEndpoints(backwards)
			if got := slices.Collect(p.All()); !slices.Equal(got, tc.list) || p.Len() != len(tc.list) {
				t.Errorf("%d: %v", p.Len(), got)
			}
			if !p.same(&q) {
				t.Errorf("%v in another order: %v", tc.list, slices.Collect(q.All()))
			}
			for i, e := range tc.list {
				if first := p.from(e.Addr); tc.list[first].Addr != e.Addr || first > i || p.At(i) != e {
					t.Errorf("%s at %d", e.Addr, first)
				}
				changed := slices.Clone(tc.list)
				changed[i].Identity = &Identity{Pod: "other"}
				if c := PackEndpoints(changed); p.same(&c) {
					t.Errorf("another identity of %s makes no difference", e.Addr)
				}
				if c := PackEndpoints(slices.Delete(changed, i, i+1)); p.same(&c) {
					t.Errorf("without %s it is no different", e.Addr)
				}
			}
		})
	}
}
