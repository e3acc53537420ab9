package answer

import (
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

func BenchmarkLookup(b *testing.B) {
	store := clustertest.RefStore(clustertest.RefServices, false, true)
	txn := store.Begin()
	big := cluster.Slice{Namespace: "ns-0", Service: "big", Name: "big", Ports: []cluster.Port{{Name: "http", Protocol: "tcp", Number: 80}}}
	var list []cluster.Endpoint
	for i := range 1000 {
		list = append(list, cluster.Endpoint{Addr: clustertest.RefAddr(11, i)})
	}
	big.Endpoints = cluster.PackEndpoints(list)
	txn.ReplaceService(nil, &cluster.Service{Key: big.Key(), Kind: cluster.Headless})
	txn.ReplaceSlice(nil, cluster.NewSlice(big))
	txn.Commit()
	s, v := store.Load(), clusterView(b)
	for _, bc := range []struct {
		name, qname string
		qtype       uint16
		records     int
	}{
		{"ClusterIP", "service-1.ns-1.svc.cluster.local.", dns.TypeA, 1},
		{"NXDOMAIN", "www.example.com.ns-1.svc.cluster.local.", dns.TypeA, 0},
		{"NoData", "service-1.ns-1.svc.cluster.local.", dns.TypeAAAA, 0},
		{"SRV", "_http._tcp.service-1.ns-1.svc.cluster.local.", dns.TypeSRV, 1},
		{"Headless10", "service-10.ns-10.svc.cluster.local.", dns.TypeA, 10},
		{"Headless1000", "big.ns-0.svc.cluster.local.", dns.TypeA, 1000},
		{"Endpoint", "11-0-1-1.big.ns-0.svc.cluster.local.", dns.TypeA, 1},
		{"PTR", "1.0.0.172.in-addr.arpa.", dns.TypePTR, 1},
		{"PTREndpoint", "101.0.0.10.in-addr.arpa.", dns.TypePTR, 1},
	} {
		b.Run(bc.name, func(b *testing.B) {
			wire := make([]byte, 255)
			end, err := dns.PackDomainName(bc.qname, wire, 0, nil, false)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				n, err := dnsname.ParseWire(wire[:end])
				if err != nil {
					b.Fatal(err)
				}
				if a := Lookup(v, s, &n, bc.qtype, unlimited); len(a.Records) != bc.records {
					b.Fatal(render(a))
				}
			}
		})
	}
}

// BenchmarkWire answers into the buffer of a message.
func BenchmarkWire(b *testing.B) {
	store := clustertest.RefStore(clustertest.RefServices, false, true)
	txn := store.Begin()
	big := cluster.Slice{Namespace: "ns-0", Service: "big", Name: "big", Ports: []cluster.Port{{Name: "http", Protocol: "tcp", Number: 80}}}
	var list []cluster.Endpoint
	for i := range 1000 {
		list = append(list, cluster.Endpoint{Addr: clustertest.RefAddr(11, i)})
	}
	big.Endpoints = cluster.PackEndpoints(list)
	txn.ReplaceService(nil, &cluster.Service{Key: big.Key(), Kind: cluster.Headless})
	txn.ReplaceSlice(nil, cluster.NewSlice(big))
	txn.Commit()
	s, v := store.Load(), wireView(b)
	random := rand.NewPCG(1, 2)
	for _, bc := range []struct {
		name, qname string
		qtype       uint16
	}{
		{"ClusterIP", "service-1.ns-1.svc.cluster.local.", dns.TypeA},
		{"NXDOMAIN", "www.example.com.ns-1.svc.cluster.local.", dns.TypeA},
		{"NoData", "service-1.ns-1.svc.cluster.local.", dns.TypeAAAA},
		{"SRV", "_http._tcp.service-1.ns-1.svc.cluster.local.", dns.TypeSRV},
		{"Headless10", "service-10.ns-10.svc.cluster.local.", dns.TypeA},
		{"Headless1000", "big.ns-0.svc.cluster.local.", dns.TypeA},
		{"Endpoint", "11-0-1-1.big.ns-0.svc.cluster.local.", dns.TypeA},
		{"PTR", "1.0.0.172.in-addr.arpa.", dns.TypePTR},
		{"PTREndpoint", "101.0.0.10.in-addr.arpa.", dns.TypePTR},
	} {
		b.Run(bc.name, func(b *testing.B) {
			name := wireName(b, bc.qname)
			msg := make([]byte, headerSize, 1<<16)
			msg = append(append(msg, name...), 0, 0, 0, 1)
			q := Question{Type: bc.qtype}
			var out Encoded
			b.ReportAllocs()
			for b.Loop() {
				q.Parse(name)
				if _, ok := AppendWire(msg, v, s, &q, Limits{Size: 1 << 16, Reserved: optSize, Shuffle: true, Random: random}, &out); !ok {
					b.Fatal("left to the handler")
				}
			}
		})
	}
}

// BenchmarkKept reports how much heap the cached data takes after questions for A, AAAA and
// SRV of every name of the reference cluster.
func BenchmarkKept(b *testing.B) {
	v := wireView(b)
	msg := make([]byte, headerSize, 1<<16)
	var q Question
	for b.Loop() {
		b.StopTimer()
		s := clustertest.RefStore(clustertest.RefServices, false, true).Load()
		before := clustertest.Heap()
		b.StartTimer()
		for i := range clustertest.RefServices {
			key := clustertest.RefKey(i)
			names := []string{"", "_http._tcp."}
			for e := range clustertest.RefEndpoints {
				names = append(names, dnsname.Dashed(clustertest.RefAddr(10, i*clustertest.RefEndpoints+e))+".")
			}
			for _, label := range names {
				name := wireName(b, label+key.Name+"."+key.Namespace+".svc.cluster.local.")
				for _, q.Type = range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV} {
					q.Parse(name)
					AppendWire(msg, v, s, &q, Limits{Size: 4096, Reserved: optSize}, new(Encoded))
				}
			}
		}
		b.ReportMetric(float64(clustertest.Heap()-before)/(1<<20), "MiB")
		runtime.KeepAlive(s)
	}
}
