package clustertest

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// The reference cluster: 10,000 Services, of which every tenth is headless, and
// 100,000 endpoints, ten to a Service.
const (
	RefServices  = 10000
	RefEndpoints = 10
)

// RefSlice returns the slice of the i-th Service; its endpoint addresses begin at first.
func RefSlice(i, first int, pods bool) *cluster.Slice {
	key := RefKey(i)
	s := cluster.Slice{Namespace: key.Namespace, Service: key.Name, Name: key.Name + "-x7k2p", Ports: []cluster.Port{{Name: "http", Protocol: "tcp", Number: 8080}}}
	var list []cluster.Endpoint
	for e := range RefEndpoints {
		endpoint := cluster.Endpoint{Addr: RefAddr(10, first+e)}
		if pods {
			endpoint.Identity = &cluster.Identity{Pod: fmt.Sprintf("%s-6d4cf56db6-%05d", key.Name, e)}
		}
		list = append(list, endpoint)
	}
	s.Endpoints = cluster.PackEndpoints(list)
	return cluster.NewSlice(s)
}

// RefKey returns the key of the i-th Service.
func RefKey(i int) cluster.Key {
	return cluster.Key{Namespace: fmt.Sprintf("ns-%d", i%100), Name: fmt.Sprintf("service-%d", i)}
}

// RefAddr returns the i-th address of a network.
func RefAddr(net byte, i int) netip.Addr {
	return netip.AddrFrom4([4]byte{net, byte(i >> 16), byte(i >> 8), byte(i)})
}

// RefStore returns the reference cluster, committed one Service at a time or all at once.
func RefStore(services int, pods, atOnce bool) *cluster.Store {
	store := cluster.NewStore()
	txn := store.Begin()
	for i := range 100 {
		txn.PutNamespace(RefKey(i).Namespace)
	}
	for i := range services {
		if !atOnce {
			txn.Commit()
			txn = store.Begin()
		}
		service := &cluster.Service{Key: RefKey(i), Kind: cluster.Headless, Ports: []cluster.Port{{Name: "http", Protocol: "tcp", Number: 80}}}
		if i%10 > 0 {
			service.Kind, service.ClusterIPs = cluster.ClusterIP, []netip.Addr{RefAddr(172, i)}
		}
		txn.ReplaceService(nil, service)
		txn.ReplaceSlice(nil, RefSlice(i, i*RefEndpoints, pods))
	}
	txn.SetSynced()
	txn.Commit()
	store.Checkpoint(1)
	return store
}

// Heap returns the size of the live heap after a garbage collection.
func Heap() uint64 {
	runtime.GC()
	runtime.GC() // what the first one found, pools hold until the second
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// Crowded returns the text of a cluster with so many endpoints behind each kind of name.
func Crowded(endpoints int) string {
	var b strings.Builder
	b.WriteString("namespace a\nheadless a/big\nheadless a/twins\n")
	for i := range endpoints {
		if i%100 == 0 {
			fmt.Fprintf(&b, "\nslice a/big s%03d http/tcp/80 https/tcp/443", i/100)
		}
		fmt.Fprintf(&b, " 10.%d.%d.%d#here", 1+i>>16, i>>8&255, i&255)
	}
	for _, half := range []string{"a", "b"} { // all with one hostname, and each address in two slices
		for i := range endpoints {
			if i%100 == 0 {
				fmt.Fprintf(&b, "\nslice a/twins s%03d%s http/tcp/80", i/100, half)
			}
			fmt.Fprintf(&b, " 10.%d.%d.%d=twin", 101+i>>16, i>>8&255, i&255)
		}
	}
	for i := range endpoints {
		fmt.Fprintf(&b, "\nheadless a/one-%d\nslice a/one-%d s 10.250.0.1", i, i)
	}
	return b.String()
}
