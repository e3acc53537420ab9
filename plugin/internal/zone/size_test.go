package zone

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
)

// crowd fills a transaction with many objects of one kind, made as the Kubernetes
// side makes them: with names of their own, and the rest shared.
type crowd struct {
	name string
	fill func(txn *Txn)
	size func(Size) int
}

const crowdSize = 5000

var sharedPorts = []Port{{"http", "tcp", 80}, {"metrics", "tcp", 9090}}

func crowdKey(i int) Key { return Key{"shop", fmt.Sprintf("service-%d", i)} }

func crowdSlice(i int, named func(e int) *Identity) *Slice {
	key := crowdKey(i)
	name := key.Name + "-x7k2p"
	s := Slice{Namespace: key.Namespace, Service: name[:len(key.Name)], Name: name, Ports: sharedPorts}
	var list []Endpoint
	for e := range 10 {
		list = append(list, Endpoint{Addr: refAddr(10, 10*i+e), Identity: named(e)})
	}
	s.Endpoints = PackEndpoints(list)
	return NewSlice(s)
}

var crowds = []crowd{
	{"Namespaces", func(txn *Txn) {
		for i := range crowdSize {
			txn.PutNamespace(fmt.Sprintf("namespace-%d", i))
		}
	}, func(z Size) int { return z.Namespaces }},
	{"Services", func(txn *Txn) {
		for i := range crowdSize {
			txn.ReplaceService(nil, &Service{Key: crowdKey(i), ClusterIPs: []netip.Addr{refAddr(172, i), refAddr(173, i)}, Ports: sharedPorts})
		}
	}, func(z Size) int { return z.Services + z.Addresses }},
	{"load balancers", func(txn *Txn) {
		for i := range crowdSize {
			hosts := []string{fmt.Sprintf("lb-%d.eu-central-1.elb.example.com.", i)}
			txn.ReplaceService(nil, &Service{Key: crowdKey(i), ExternalIPs: []netip.Addr{refAddr(192, i)}, ExternalHosts: hosts})
		}
	}, func(z Size) int { return z.Services + z.Addresses }},
	{"endpoints", func(txn *Txn) {
		for i := range crowdSize {
			txn.ReplaceSlice(nil, crowdSlice(i, func(int) *Identity { return nil }))
		}
	}, func(z Size) int { return z.Services + z.Slices + z.Addresses }},
	{"endpoints with names", func(txn *Txn) {
		for i := range crowdSize {
			txn.ReplaceSlice(nil, crowdSlice(i, func(e int) *Identity { return &Identity{Pod: fmt.Sprintf("service-%d-6d4cf56db6-%05d", i, e)} }))
		}
	}, func(z Size) int { return z.Services + z.Slices + z.Addresses }},
	{"imports", func(txn *Txn) {
		for i := range crowdSize {
			txn.ReplaceImport(nil, &Service{Key: crowdKey(i), ClusterIPs: []netip.Addr{refAddr(172, i)}, Ports: sharedPorts})
			txn.ReplaceImportSlice(nil, crowdSlice(i, func(int) *Identity { return nil }))
		}
	}, func(z Size) int { return z.Imports + z.ImportedSlices }},
	{"Pods", func(txn *Txn) {
		for i := range crowdSize {
			txn.ReplacePod(nil, crowdPod(i, Profile{}, refAddr(10, i)))
		}
	}, func(z Size) int { return z.Pods }},
	{"dual-stack Pods", func(txn *Txn) {
		for i := range crowdSize {
			txn.ReplacePod(nil, crowdPod(i, Profile{}, refAddr(10, i), crowdAddr6(i)))
		}
	}, func(z Size) int { return z.Pods }},
	{"Pods with labels", func(txn *Txn) {
		for i := range crowdSize {
			p := Profile{Name: fmt.Sprintf("web-6d4cf56db6-%05d", i)}
			p.Resolver = &Resolver{Policy: "ClusterFirst", Searches: []string{"example.com"}, Ndots: 2}
			p.Labels = map[string]string{}
			for l := range i % 20 {
				p.Labels[sharedLabels[l]] = "value"
			}
			txn.ReplacePod(nil, crowdPod(i, p, crowdAddr6(i)))
		}
	}, func(z Size) int { return z.Pods }},
}

func crowdPod(i int, profile Profile, addrs ...netip.Addr) *Pod {
	return NewPod(Pod{Namespace: "shop", ID: uint64(i)}, profile, addrs...)
}

func crowdAddr6(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1)) }

var sharedLabels = strings.Split("a b c d e f g h i j k l m n o p q r s t", " ")

// What is said to be held is what the heap has grown by. Beside the records, the
// heap of a process without load moves by much less than is asked for here.
func TestSizeIsThatOfTheHeap(t *testing.T) {
	for _, c := range crowds {
		t.Run(c.name, func(t *testing.T) {
			before := heap()
			store := NewStore()
			txn := store.Begin()
			c.fill(txn)
			txn.Commit()
			live := float64(heap() - before)
			said := float64(c.size(store.Load().Size()))
			t.Logf("%.0f bytes of %.0f: %.3f", said, live, said/live)
			if said < 0.9*live || said > 1.1*live {
				t.Errorf("said to be %.0f bytes, but the heap has grown by %.0f", said, live)
			}
		})
	}
}

// Every object is counted where it belongs, and not when it is gone.
func TestSizeOfNothing(t *testing.T) {
	store := NewStore()
	empty := store.Load().Size()
	if empty != (Size{}) {
		t.Errorf("an empty snapshot takes %+v", empty)
	}
	service, slice := &Service{Key: crowdKey(1)}, crowdSlice(1, func(int) *Identity { return nil })
	for _, tc := range []struct {
		name          string
		change, undo  func(*Txn)
		counted       func(Size) int
		withAddresses bool
	}{
		{"Namespace", func(t *Txn) { t.PutNamespace("a") }, func(t *Txn) { t.DeleteNamespace("a") }, func(z Size) int { return z.Namespaces }, false},
		{"Service", func(t *Txn) { t.ReplaceService(nil, service) }, func(t *Txn) { t.ReplaceService(service, nil) }, func(z Size) int { return z.Services }, false},
		{"import", func(t *Txn) { t.ReplaceImport(nil, service) }, func(t *Txn) { t.ReplaceImport(service, nil) }, func(z Size) int { return z.Imports }, false},
		{"slice", func(t *Txn) { t.ReplaceSlice(nil, slice) }, func(t *Txn) { t.ReplaceSlice(slice, nil) }, func(z Size) int { return z.Slices }, true},
		{"imported slice", func(t *Txn) { t.ReplaceImportSlice(nil, slice) }, func(t *Txn) { t.ReplaceImportSlice(slice, nil) }, func(z Size) int { return z.ImportedSlices }, false},
	} {
		commit(store, tc.change)
		if z := store.Load().Size(); tc.counted(z) <= 0 || (z.Addresses > 0) != tc.withAddresses {
			t.Errorf("%s: %+v", tc.name, z)
		}
		commit(store, tc.undo)
		if z := store.Load().Size(); z != empty {
			t.Errorf("%s: %+v is left", tc.name, z)
		}
	}
}
