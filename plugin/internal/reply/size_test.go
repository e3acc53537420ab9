package reply

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// manyZones has a Service with 300 addresses.
func manyZones(t *testing.T) Zones {
	t.Helper()
	store := cluster.NewStore()
	txn := store.Begin()
	txn.PutNamespace("a")
	many := &cluster.Service{Key: cluster.Key{Namespace: "a", Name: "many"}}
	for i := range 300 {
		many.ClusterIPs = append(many.ClusterIPs, netip.AddrFrom4([4]byte{10, 4, byte(i >> 8), byte(i)}))
	}
	txn.ReplaceService(nil, many)
	txn.SetSynced()
	txn.Commit()
	origin, err := resolve.ParseOrigin("cluster.local.")
	if err != nil {
		t.Fatal(err)
	}
	block := &Block{Store: store, View: &resolve.View{Origins: []resolve.Origin{origin}, TTL: 5}}
	return Zones{{Origin: origin, Block: block}}
}

// A reply is whole wherever it stands in the memory for replies: one that has no room there for a
// moment moves with all of its octets.
func TestReplyAtTheEndOfTheMemory(t *testing.T) {
	zones := manyZones(t)
	packet, err := new(dns.Msg).SetQuestion("many.a.svc.cluster.local.", dns.TypeA).SetEdns0(2000, false).Pack()
	if err != nil {
		t.Fatal(err)
	}
	const before = "before"
	for room := range 2100 {
		out, verdict := NewResponder().Respond(zones, netip.MustParseAddr("10.1.2.3"), packet, append(make([]byte, 0, len(before)+room), before...))
		m := new(dns.Msg)
		if err := m.Unpack(out[len(before):]); err != nil || verdict != Answer || string(out[:len(before)]) != before {
			t.Fatalf("%d octets of room: %v, %v", room, verdict, err)
		}
		if !m.Response || !m.Truncated || len(m.Answer) < 100 {
			t.Fatalf("%d octets of room: %v", room, m.MsgHdr)
		}
	}
}

// A reply to an address outside the cluster's own networks has at most 1,232 octets,
// because the address may be forged. Other replies have the size that the client accepts.
// The Corefile may set another limit.
func TestB4RepliesToForeignClients(t *testing.T) {
	zones := manyZones(t)
	block := zones[0].Block
	packet, err := new(dns.Msg).SetQuestion("many.a.svc.cluster.local.", dns.TypeA).SetEdns0(65535, false).Pack()
	if err != nil {
		t.Fatal(err)
	}
	const all = 4096 // octets, and more
	for _, tc := range []struct {
		client string
		bound  uint16 // of the Corefile
		least  int
		most   int
	}{
		{client: "192.0.2.1", least: 1100, most: ForeignSize},
		{client: "2001:db8::1", least: 1100, most: ForeignSize},
		{client: "10.1.2.3", least: all, most: MaxSize},
		{client: "172.31.0.1", least: all, most: MaxSize},
		{client: "192.168.0.1", least: all, most: MaxSize},
		{client: "100.64.0.1", least: all, most: MaxSize},
		{client: "127.0.0.1", least: all, most: MaxSize},
		{client: "169.254.20.10", least: all, most: MaxSize},
		{client: "fd00::1", least: all, most: MaxSize},
		{client: "fe80::1", least: all, most: MaxSize},
		{client: "192.0.2.1", bound: 1500, least: 1400, most: 1500},
		{client: "192.0.2.1", bound: 65535, least: all, most: MaxSize},
		{client: "10.1.2.3", bound: 1500, least: 1400, most: 1500},
	} {
		block.MaxSize = tc.bound
		out, verdict := NewResponder().Respond(zones, netip.MustParseAddr(tc.client), packet, make([]byte, 0, MaxSize))
		m := new(dns.Msg)
		if err := m.Unpack(out); err != nil || verdict != Answer {
			t.Fatalf("%s: %v, %v", tc.client, verdict, err)
		}
		if len(out) < tc.least || len(out) > tc.most || m.Truncated != (tc.least < all) {
			t.Errorf("%s with the bound %d: %d octets, truncated %v", tc.client, tc.bound, len(out), m.Truncated)
		}
	}
}
