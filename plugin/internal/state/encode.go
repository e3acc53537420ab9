package state

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"net/netip"
	"slices"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// first is the first line of a file. Its number changes with the format.
const first = "clusterdns state 3\n"

// Header says what a state is of.
type Header struct {
	Cluster   string // UID of the cluster, or "" if it is not known
	Watched   string // which objects of it were watched
	Published string // which of them have published names
	Heard     int64  // unix time at which the API server was last heard of
	Serial    uint32 // of the snapshot
}

// encode returns the content of a file.
func encode(h Header, s *cluster.Snapshot) []byte {
	w := &writer{data: make([]byte, len(first)+sha256.Size, 1<<16)}
	w.text(h.Cluster)
	w.text(h.Watched)
	w.text(h.Published)
	w.number(uint64(h.Heard))
	w.number(uint64(h.Serial))
	names := slices.Sorted(s.Namespaces())
	w.count(len(names))
	for _, name := range names {
		w.text(name)
	}
	w.nodes(s, false)
	w.nodes(s, true)
	w.pods(slices.Collect(s.Pods()))
	w.published(s)
	sum := sha256.Sum256(w.data[len(first)+sha256.Size:])
	copy(w.data[copy(w.data, first):], sum[:])
	return w.data
}

// writer appends values to data.
type writer struct{ data []byte }

func (w *writer) number(n uint64) { w.data = binary.AppendUvarint(w.data, n) }
func (w *writer) count(n int)     { w.number(uint64(n)) }

func (w *writer) flag(set bool) {
	if set {
		w.number(1)
		return
	}
	w.number(0)
}

func (w *writer) text(s string) {
	w.count(len(s))
	w.data = append(w.data, s...)
}

func (w *writer) texts(list []string) {
	w.count(len(list))
	for _, s := range list {
		w.text(s)
	}
}

func (w *writer) addr(a netip.Addr) {
	octets := a.AsSlice()
	w.count(len(octets))
	w.data = append(w.data, octets...)
}

func (w *writer) addrs(list []netip.Addr) {
	w.count(len(list))
	for _, a := range list {
		w.addr(a)
	}
}

func (w *writer) ports(list []cluster.Port) {
	w.count(len(list))
	for _, p := range list {
		w.text(p.Name)
		w.text(p.Protocol)
		w.number(uint64(p.Number))
	}
}

// nodes writes the Services, or the ServiceImports, and their slices.
func (w *writer) nodes(s *cluster.Snapshot, imports bool) {
	nodes := slices.SortedFunc(s.Nodes(imports), func(a, b *cluster.ServiceNode) int { return a.Key.Compare(b.Key) })
	w.count(len(nodes))
	for _, n := range nodes {
		w.text(n.Key.Namespace)
		w.text(n.Key.Name)
		w.service(n.Service)
		w.count(len(n.Slices))
		for _, slice := range n.Slices {
			w.slice(slice)
		}
	}
}

// service writes a Service, which is nil if only its slices are known.
func (w *writer) service(s *cluster.Service) {
	w.flag(s != nil)
	if s == nil {
		return
	}
	w.number(uint64(s.Kind))
	w.addrs(s.ClusterIPs)
	w.ports(s.Ports)
	w.text(s.Target)
	w.addrs(s.ExternalIPs)
	w.texts(s.ExternalHosts)
}

func (w *writer) slice(s *cluster.Slice) {
	w.text(s.Name)
	w.text(s.Cluster)
	w.ports(s.Ports)
	w.count(s.Endpoints.Len())
	for e := range s.Endpoints.All() {
		w.addr(e.Addr)
		w.flag(e.Identity != nil)
		if e.Identity != nil {
			w.text(e.Identity.Hostname)
			w.text(e.Identity.Pod)
			w.text(e.Identity.TopologyZone)
		}
	}
}

// pods writes Pods without their hashes, which mean nothing in another process.
func (w *writer) pods(list []*cluster.Pod) {
	w.count(len(list))
	for _, p := range list {
		w.text(p.Namespace)
		w.text(p.Name)
		w.flag(p.HostNetwork)
		w.addrs(slices.Collect(p.Addrs()))
		w.count(len(p.Labels))
		for _, key := range slices.Sorted(maps.Keys(p.Labels)) {
			w.text(key)
			w.text(p.Labels[key])
		}
		w.flag(p.Resolver != nil)
		if p.Resolver != nil {
			w.text(p.Resolver.Policy)
			w.texts(p.Resolver.Searches)
			w.number(uint64(p.Resolver.Ndots + 1))
		}
	}
}
