package udp

import (
	"context"
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

const ourName = "web.a.svc.cluster.local."

// testBackend answers for cluster.local from one Service of Kubernetes; CoreDNS refuses the rest.
func testBackend(t testing.TB) (*Backend, *tally) {
	t.Helper()
	store := cluster.NewStore()
	txn := store.Begin()
	txn.PutNamespace("a")
	txn.ReplaceService(nil, &cluster.Service{Key: cluster.Key{Namespace: "a", Name: "web"}, ClusterIPs: []netip.Addr{netip.MustParseAddr("10.3.0.1")}})
	txn.SetSynced()
	txn.Commit()
	origin, err := resolve.ParseOrigin("cluster.local.")
	if err != nil {
		t.Fatal(err)
	}
	meter := new(tally)
	block := &reply.Block{Store: store, View: &resolve.View{Origins: []resolve.Origin{origin}, TTL: 5}}
	return &Backend{
		Owner:   t,
		Zones:   reply.Zones{{Origin: origin, Block: block}},
		Meter:   meter,
		Context: t.Context(),
		Handler: handlerFunc(func(_ context.Context, w dns.ResponseWriter, r *dns.Msg) {
			_ = w.WriteMsg(new(dns.Msg).SetRcode(r, dns.RcodeRefused))
		}),
	}, meter
}
