package cluster_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
)

// crowd fills a transaction with many objects of one kind, made as the Kubernetes side
// makes them: each has its own names and shares the rest.
type crowd struct {
	name string
	fill func(txn *cluster.Txn)
	size func(cluster.Size) int
}

const crowdSize = 5000

var sharedPorts = []cluster.Port{{Name: "http", Protocol: "tcp", Number: 80}, {Name: "metrics", Protocol: "tcp", Number: 9090}}

func crowdKey(i int) cluster.Key {
	return cluster.Key{Namespace: "shop", Name: fmt.Sprintf("service-%d", i)}
}

func crowdSlice(i int, named func(e int) *cluster.Identity) *cluster.Slice {
	key := crowdKey(i)
	name := key.Name + "-x7k2p"
	s := cluster.Slice{Namespace: key.Namespace, Service: name[:len(key.Name)], Name: name, Ports: sharedPorts}
	var list []cluster.Endpoint
	for e := range 10 {
		list = append(list, cluster.Endpoint{Addr: clustertest.RefAddr(10, 10*i+e), Identity: named(e)})
	}
	s.Endpoints = cluster.PackEndpoints(list)
	return cluster.NewSlice(s)
}

var crowds = []crowd{
	{"Namespaces", func(txn *cluster.Txn) {
		for i := range crowdSize {
			txn.PutNamespace(fmt.Sprintf("namespace-%d", i))
		}
	}, func(z cluster.Size) int { return z.Namespaces }},
	{"Services", func(txn *cluster.Txn) {
		for i := range crowdSize {
			txn.ReplaceService(nil, &cluster.Service{Key: crowdKey(i), ClusterIPs: []netip.Addr{clustertest.RefAddr(172, i), clustertest.RefAddr(173, i)}, Ports: sharedPorts})
		}
	}, func(z cluster.Size) int { return z.Services + z.Addresses }},
	{"load balancers", func(txn *cluster.Txn) {
		for i := range crowdSize {
			hosts := []string{fmt.Sprintf("lb-%d.eu-central-1.elb.example.com.", i)}
			txn.ReplaceService(nil, &cluster.Service{Key: crowdKey(i), ExternalIPs: []netip.Addr{clustertest.RefAddr(192, i)}, ExternalHosts: hosts})
		}
	}, func(z cluster.Size) int { return z.Services + z.Addresses }},
	{"endpoints", func(txn *cluster.Txn) {
		for i := range crowdSize {
			txn.ReplaceSlice(nil, crowdSlice(i, func(int) *cluster.Identity { return nil }))
		}
	}, func(z cluster.Size) int { return z.Services + z.Slices + z.Addresses }},
	{"endpoints with names", func(txn *cluster.Txn) {
		for i := range crowdSize {
			txn.ReplaceSlice(nil, crowdSlice(i, func(e int) *cluster.Identity {
				return &cluster.Identity{Pod: fmt.Sprintf("service-%d-6d4cf56db6-%05d", i, e)}
			}))
		}
	}, func(z cluster.Size) int { return z.Services + z.Slices + z.Addresses }},
	{"imports", func(txn *cluster.Txn) {
		for i := range crowdSize {
			txn.ReplaceImport(nil, &cluster.Service{Key: crowdKey(i), ClusterIPs: []netip.Addr{clustertest.RefAddr(172, i)}, Ports: sharedPorts})
			txn.ReplaceImportSlice(nil, crowdSlice(i, func(int) *cluster.Identity { return nil }))
		}
	}, func(z cluster.Size) int { return z.Imports + z.ImportedSlices }},
	{"Pods", func(txn *cluster.Txn) {
		for i := range crowdSize {
			txn.ReplacePod(nil, crowdPod(i, cluster.Profile{}, clustertest.RefAddr(10, i)))
		}
	}, func(z cluster.Size) int { return z.Pods }},
	{"dual-stack Pods", func(txn *cluster.Txn) {
		for i := range crowdSize {
			txn.ReplacePod(nil, crowdPod(i, cluster.Profile{}, clustertest.RefAddr(10, i), crowdAddr6(i)))
		}
	}, func(z cluster.Size) int { return z.Pods }},
	{"Pods with labels", func(txn *cluster.Txn) {
		for i := range crowdSize {
			p := cluster.Profile{Name: fmt.Sprintf("web-6d4cf56db6-%05d", i)}
			p.Resolver = &cluster.Resolver{Policy: "ClusterFirst", Searches: []string{"example.com"}, Ndots: 2}
			p.Labels = map[string]string{}
			for l := range i % 20 {
				p.Labels[sharedLabels[l]] = "value"
			}
			txn.ReplacePod(nil, crowdPod(i, p, crowdAddr6(i)))
		}
	}, func(z cluster.Size) int { return z.Pods }},
}

func crowdPod(i int, profile cluster.Profile, addrs ...netip.Addr) *cluster.Pod {
	return cluster.NewPod(cluster.Pod{Namespace: "shop", ID: uint64(i)}, profile, addrs...)
}

func crowdAddr6(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1)) }

var sharedLabels = strings.Split("a b c d e f g h i j k l m n o p q r s t", " ")

// Size reports what the heap has grown by. Beside the records, the heap of an idle process
// changes by much less than the tolerance here.
func TestSizeIsThatOfTheHeap(t *testing.T) {
	for _, c := range crowds {
		t.Run(c.name, func(t *testing.T) {
			before := clustertest.Heap()
			store := cluster.NewStore()
			txn := store.Begin()
			c.fill(txn)
			txn.Commit()
			live := float64(clustertest.Heap() - before)
			said := float64(c.size(store.Load().Size()))
			t.Logf("%.0f bytes of %.0f: %.3f", said, live, said/live)
			if said < 0.9*live || said > 1.1*live {
				t.Errorf("said to be %.0f bytes, but the heap has grown by %.0f", said, live)
			}
		})
	}
}

// Every object counts in its own field, and no longer after its removal.
func TestSizeOfNothing(t *testing.T) {
	store := cluster.NewStore()
	empty := store.Load().Size()
	if empty != (cluster.Size{}) {
		t.Errorf("an empty snapshot takes %+v", empty)
	}
	service, slice := &cluster.Service{Key: crowdKey(1)}, crowdSlice(1, func(int) *cluster.Identity { return nil })
	for _, tc := range []struct {
		name          string
		change, undo  func(*cluster.Txn)
		counted       func(cluster.Size) int
		withAddresses bool
	}{
		{"Namespace", func(t *cluster.Txn) { t.PutNamespace("a") }, func(t *cluster.Txn) { t.DeleteNamespace("a") }, func(z cluster.Size) int { return z.Namespaces }, false},
		{"Service", func(t *cluster.Txn) { t.ReplaceService(nil, service) }, func(t *cluster.Txn) { t.ReplaceService(service, nil) }, func(z cluster.Size) int { return z.Services }, false},
		{"import", func(t *cluster.Txn) { t.ReplaceImport(nil, service) }, func(t *cluster.Txn) { t.ReplaceImport(service, nil) }, func(z cluster.Size) int { return z.Imports }, false},
		{"slice", func(t *cluster.Txn) { t.ReplaceSlice(nil, slice) }, func(t *cluster.Txn) { t.ReplaceSlice(slice, nil) }, func(z cluster.Size) int { return z.Slices }, true},
		{"imported slice", func(t *cluster.Txn) { t.ReplaceImportSlice(nil, slice) }, func(t *cluster.Txn) { t.ReplaceImportSlice(slice, nil) }, func(z cluster.Size) int { return z.ImportedSlices }, false},
	} {
		clustertest.Commit(store, tc.change)
		if z := store.Load().Size(); tc.counted(z) <= 0 || (z.Addresses > 0) != tc.withAddresses {
			t.Errorf("%s: %+v", tc.name, z)
		}
		clustertest.Commit(store, tc.undo)
		if z := store.Load().Size(); z != empty {
			t.Errorf("%s: %+v is left", tc.name, z)
		}
	}
}
