package resolve_test

import (
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/answer/answertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

func TestExplain(t *testing.T) {
	v := answertest.View(t, "cluster.local.", "set.local.", "in-addr.arpa.")
	v.Origins[1].ClusterSet = true
	v.Zonal = true
	for _, tc := range []struct {
		name string
		want resolve.Parts
	}{
		{"cluster.local.", resolve.Parts{}},
		{"in-addr.arpa.", resolve.Parts{}},
		{"svc.cluster.local.", resolve.Parts{}},
		{"pod.cluster.local.", resolve.Parts{}},
		{"shop.svc.cluster.local.", resolve.Parts{Kind: "svc", Namespace: "shop"}},
		{"WEB.Shop.SVC.Cluster.Local.", resolve.Parts{Kind: "svc", Namespace: "shop", Service: "web"}},
		{"10-0-0-1.shop.pod.cluster.local.", resolve.Parts{Kind: "pod", Namespace: "shop", Service: "10-0-0-1"}},
		{"db-0.db.shop.svc.cluster.local.", resolve.Parts{Kind: "svc", Namespace: "shop", Service: "db", Endpoint: "db-0"}},
		{"_http._tcp.web.shop.svc.cluster.local.", resolve.Parts{Kind: "svc", Namespace: "shop", Service: "web", Port: "http", Protocol: "tcp"}},
		{"http.tcp.web.shop.svc.cluster.local.", resolve.Parts{Kind: "svc", Namespace: "shop", Service: "web", Port: "http", Protocol: "tcp"}},
		{"eu.1.pin._zone.db.shop.svc.cluster.local.", resolve.Parts{Kind: "svc", Namespace: "shop", Service: "db", TopologyZone: "eu.1"}},
		{"eu.prefer._zone.db.shop.svc.cluster.local.", resolve.Parts{Kind: "svc", Namespace: "shop", Service: "db", TopologyZone: "eu"}},
		{`a\.b\010.shop.svc.cluster.local.`, resolve.Parts{Kind: "svc", Namespace: "shop", Service: `a\.b\010`}},
		{"e.c1.web.shop.svc.set.local.", resolve.Parts{Kind: "svc", Namespace: "shop", Service: "web", Endpoint: "e", Cluster: "c1"}},
		{"_http._tcp.web.shop.svc.set.local.", resolve.Parts{Kind: "svc", Namespace: "shop", Service: "web", Port: "http", Protocol: "tcp"}},
		{"http._tcp.web.shop.svc.set.local.", resolve.Parts{Kind: "svc", Namespace: "shop", Service: "web", Port: "http", Protocol: "tcp"}},
	} {
		if got, ok := explain(t, v, tc.name); !ok || got != tc.want {
			t.Errorf("%s is %+v, %v, want %+v", tc.name, got, ok, tc.want)
		}
	}
}

func TestExplainFails(t *testing.T) {
	v := answertest.View(t, "cluster.local.", "set.local.", "in-addr.arpa.")
	v.Origins[1].ClusterSet = true
	v.Zonal = true
	fails := func(names ...string) {
		t.Helper()
		for _, name := range names {
			if got, ok := explain(t, v, name); ok {
				t.Errorf("%s is %+v", name, got)
			}
		}
	}
	fails(
		"web.cluster.local.",
		"dns-version.cluster.local.",
		"1.0.0.10.in-addr.arpa.",
		"a.b.c.web.shop.svc.cluster.local.",
		"eu.near._zone.db.shop.svc.cluster.local.",
		"eu.pin._zone.db.shop.pod.cluster.local.",
		"eu.pin._zone.db.shop.svc.set.local.",
	)
	v.Zonal = false
	fails("eu.pin._zone.db.shop.svc.cluster.local.")
}

func explain(t *testing.T, v *resolve.View, name string) (resolve.Parts, bool) {
	t.Helper()
	n, err := dnsname.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	o := v.Origin(&n)
	if o == nil {
		t.Fatalf("%s is in no zone", name)
	}
	return v.Explain(&n, o)
}
