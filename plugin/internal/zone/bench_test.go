package zone

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// The reference cluster: 10,000 Services, of which every tenth is headless, and
// 100,000 endpoints, ten to a Service.
const (
	refServices  = 10000
	refEndpoints = 10
)

// refSlice is the slice of the i-th Service; its endpoint addresses begin at first.
func refSlice(i, first int, pods bool) *Slice {
	key := refKey(i)
	s := Slice{Namespace: key.Namespace, Service: key.Name, Name: key.Name + "-x7k2p", Ports: []Port{{"http", "tcp", 8080}}}
	var list []Endpoint
	for e := range refEndpoints {
		endpoint := Endpoint{Addr: refAddr(10, first+e)}
		if pods {
			endpoint.Identity = &Identity{Pod: fmt.Sprintf("%s-6d4cf56db6-%05d", key.Name, e)}
		}
		list = append(list, endpoint)
	}
	s.Endpoints = PackEndpoints(list)
	return NewSlice(s)
}

func refKey(i int) Key { return Key{fmt.Sprintf("ns-%d", i%100), fmt.Sprintf("service-%d", i)} }

func refAddr(net byte, i int) netip.Addr {
	return netip.AddrFrom4([4]byte{net, byte(i >> 16), byte(i >> 8), byte(i)})
}

// refStore is the reference cluster, committed one Service at a time or all at once.
func refStore(services int, pods, atOnce bool) *Store {
	store := NewStore()
	txn := store.Begin()
	for i := range 100 {
		txn.PutNamespace(refKey(i).Namespace)
	}
	for i := range services {
		if !atOnce {
			txn.Commit()
			txn = store.Begin()
		}
		service := &Service{Key: refKey(i), Kind: Headless, Ports: []Port{{"http", "tcp", 80}}}
		if i%10 > 0 {
			service.Kind, service.ClusterIPs = ClusterIP, []netip.Addr{refAddr(172, i)}
		}
		txn.ReplaceService(nil, service)
		txn.ReplaceSlice(nil, refSlice(i, i*refEndpoints, pods))
	}
	txn.SetSynced()
	txn.Commit()
	store.Checkpoint(1)
	return store
}

func BenchmarkLookup(b *testing.B) {
	store := refStore(refServices, false, true)
	txn := store.Begin()
	big := Slice{Namespace: "ns-0", Service: "big", Name: "big", Ports: []Port{{"http", "tcp", 80}}}
	var list []Endpoint
	for i := range 1000 {
		list = append(list, Endpoint{Addr: refAddr(11, i)})
	}
	big.Endpoints = PackEndpoints(list)
	txn.ReplaceService(nil, &Service{Key: big.Key(), Kind: Headless})
	txn.ReplaceSlice(nil, NewSlice(big))
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
				if a := v.Lookup(s, &n, bc.qtype); len(a.Records) != bc.records {
					b.Fatal(render(a))
				}
			}
		})
	}
}

// BenchmarkCommitOneEndpoint moves one endpoint of the reference cluster to
// another address and back, each in a commit of its own.
func BenchmarkCommitOneEndpoint(b *testing.B) {
	store := refStore(refServices, false, true)
	const service = refServices / 2
	versions := [2]*Slice{refSlice(service, service*refEndpoints, false)}
	other, list := *versions[0], slices.Collect(versions[0].Endpoints.All())
	list[0].Addr = refAddr(12, 0)
	other.Endpoints = PackEndpoints(list)
	versions[1] = NewSlice(other)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		txn := store.Begin()
		txn.ReplaceSlice(versions[i%2], versions[(i+1)%2])
		txn.Commit()
		i++
	}
}

// BenchmarkModel builds the reference cluster and tells what it keeps on the heap.
func BenchmarkModel(b *testing.B) {
	for _, bc := range []struct {
		name         string
		pods, atOnce bool
	}{{"Addresses", false, true}, {"Pods", true, true}, {"OneByOne", false, false}} {
		b.Run(bc.name, func(b *testing.B) {
			var store *Store
			before := heap()
			for b.Loop() {
				store = refStore(refServices, bc.pods, bc.atOnce)
			}
			live := heap() - before
			if got := store.Load().Counts().Services; got != refServices {
				b.Fatal(got)
			}
			b.ReportMetric(float64(live)/(refServices*refEndpoints), "B/endpoint")
			b.ReportMetric(float64(live)/(1<<20), "MiB")
		})
	}
}

// heap is the live heap, once what is garbage was collected.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkSize(b *testing.B) {
	s := refStore(refServices, true, true).Load()
	for b.Loop() {
		s.Size()
	}
}

// BenchmarkWire answers into the buffer of a message.
func BenchmarkWire(b *testing.B) {
	store := refStore(refServices, false, true)
	txn := store.Begin()
	big := Slice{Namespace: "ns-0", Service: "big", Name: "big", Ports: []Port{{"http", "tcp", 80}}}
	var list []Endpoint
	for i := range 1000 {
		list = append(list, Endpoint{Addr: refAddr(11, i)})
	}
	big.Endpoints = PackEndpoints(list)
	txn.ReplaceService(nil, &Service{Key: big.Key(), Kind: Headless})
	txn.ReplaceSlice(nil, NewSlice(big))
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
			b.ReportAllocs()
			for b.Loop() {
				q.Parse(name)
				if _, _, ok := v.AppendWire(msg, s, &q, Room{Size: 1 << 16, Reserved: optSize, Shuffle: true, Random: random}); !ok {
					b.Fatal("left to the handler")
				}
			}
		})
	}
}

// BenchmarkKept tells what answers keep on the heap once every name of the reference
// cluster was asked for A, AAAA and SRV.
func BenchmarkKept(b *testing.B) {
	v := wireView(b)
	msg := make([]byte, headerSize, 1<<16)
	var q Question
	for b.Loop() {
		b.StopTimer()
		s := refStore(refServices, false, true).Load()
		before := heap()
		b.StartTimer()
		for i := range refServices {
			key := refKey(i)
			names := []string{"", "_http._tcp."}
			for e := range refEndpoints {
				names = append(names, dnsname.Dashed(refAddr(10, i*refEndpoints+e))+".")
			}
			for _, label := range names {
				name := wireName(b, label+key.Name+"."+key.Namespace+".svc.cluster.local.")
				for _, q.Type = range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV} {
					q.Parse(name)
					v.AppendWire(msg, s, &q, Room{Size: 4096, Reserved: optSize})
				}
			}
		}
		b.ReportMetric(float64(heap()-before)/(1<<20), "MiB")
		runtime.KeepAlive(s)
	}
}
