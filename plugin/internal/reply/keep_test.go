package reply

import (
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/recent"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// A kept reply to a datagram answers no question over a stream, and one over a stream no datagram:
// other sizes and another OPT record apply.
func TestKeptRepliesAndStreams(t *testing.T) {
	zones := manyZones(t)
	root, err := resolve.ParseOrigin(".")
	if err != nil {
		t.Fatal(err)
	}
	block := zones[0].Block
	block.Cache, block.Keep = true, &Keep{Table: recent.NewTable(), Block: 1}
	zones = Zones{{Origin: root, Block: block}}
	question := new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA)
	packet, err := question.Pack()
	if err != nil {
		t.Fatal(err)
	}
	record, err := dns.NewRR("www.example.org. 30 IN A 192.0.2.1")
	if err != nil {
		t.Fatal(err)
	}
	m := new(dns.Msg).SetReply(question)
	m.Answer = []dns.RR{record}
	wire, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	now, client := time.Now(), netip.MustParseAddr("10.1.2.3")
	keep := func(keep func(netip.Addr, []byte, *recent.Reply, time.Time)) {
		var slot recent.Slot
		slot.Want(now, false)
		slot.Offer(m, wire)
		kept, at := slot.Take()
		keep(client, packet, kept, at)
	}
	r := NewResponder()
	r.At(now)
	check := func(datagram, stream Verdict) {
		t.Helper()
		if _, v := r.Respond(zones, client, packet, make([]byte, 0, MaxSize)); v != datagram {
			t.Errorf("a datagram: %v", v)
		}
		if _, v := r.RespondStream(zones, client, packet, make([]byte, 0, MaxSize)); v != stream {
			t.Errorf("a stream: %v", v)
		}
	}
	check(Outside, Outside)
	keep(zones.Keep)
	check(Answer, Outside)
	block.Keep.Table = recent.NewTable()
	keep(zones.KeepStream)
	check(Outside, Answer)
}
