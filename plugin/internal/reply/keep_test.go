package reply

import (
	"net/netip"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/recent"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// A reply of CoreDNS's cache that is kept answers datagrams alone. Over a stream other sizes and
// another OPT record apply, so the chain answers.
func TestKeptRepliesAnswerNoStream(t *testing.T) {
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
	var slot recent.Slot
	slot.Want(now)
	slot.Offer(m, wire)
	kept, at := slot.Take()
	zones.Keep(client, packet, kept, at)

	r := NewResponder()
	r.At(now)
	if _, verdict := r.Respond(zones, client, packet, make([]byte, 0, MaxSize)); verdict != Answer {
		t.Errorf("a datagram: %v", verdict)
	}
	if out, verdict := r.RespondStream(zones, client, packet, make([]byte, 0, MaxSize)); verdict != Outside || len(out) > 0 {
		t.Errorf("a stream: %v", verdict)
	}
}
