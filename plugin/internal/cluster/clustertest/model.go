package clustertest

import (
	"net/netip"
	"slices"

	"pgregory.net/rapid"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// Model is a cluster in plain Go maps. Tests compare stores with it.
type Model struct {
	Namespaces map[string]bool
	Services   map[cluster.Key]*cluster.Service
	Slices     map[cluster.Key]*cluster.Slice // by namespace and name of the slice
	Imports    map[cluster.Key]*cluster.Service
	Exports    map[cluster.Key]*cluster.Slice // the slices of the imports
	Pods       map[cluster.Key]*cluster.Pod
}

// NewModel returns a cluster without objects.
func NewModel() *Model {
	return &Model{map[string]bool{}, map[cluster.Key]*cluster.Service{}, map[cluster.Key]*cluster.Slice{}, map[cluster.Key]*cluster.Service{}, map[cluster.Key]*cluster.Slice{}, map[cluster.Key]*cluster.Pod{}}
}

// The pools are small, so that objects share addresses, names and labels.
var (
	PoolNamespaces = []string{"a", "b", "hidden"}
	PoolNames      = []string{"web", "db", "1st"}
	PoolHostnames  = []string{"", "", "", "h", "H", "10-0-0-2", "tcp"}
	poolPods       = []string{"", "web-0", "h", "10-0-0-1", "do.t"}
	poolZones      = []string{"", "", "z1", "eu.z1", "pin"}
	PoolClusters   = []string{"", "east", "West", "tcp", "h"}
	poolPorts      = []cluster.Port{{Name: "http", Protocol: "tcp", Number: 80}, {Name: "", Protocol: "tcp", Number: 81}, {Name: "dns", Protocol: "udp", Number: 53}, {Name: "dns", Protocol: "tcp", Number: 53}, {Name: "http", Protocol: "tcp", Number: 8080}}
	poolTargets    = []string{"", "www.example.com.", "web.a.svc.cluster.local.", "db.B.svc.cluster.local.", "svc.cluster.local.", "db.a.svc.clusterset.local."}
	PoolAddrs      = []netip.Addr{
		netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.1.1"),
		netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("192.168.0.1"), netip.MustParseAddr("::1"),
		netip.MustParseAddr("2001:db8::"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("fd00::1"),
	}
)

// Some draws up to most elements of a pool.
func Some[T any](t *rapid.T, label string, pool []T, most int) []T {
	return rapid.SliceOfN(rapid.SampledFrom(pool), 0, most).Draw(t, label)
}

// One draws one element of a pool.
func One[T any](t *rapid.T, label string, pool []T) T {
	return rapid.SampledFrom(pool).Draw(t, label)
}

func drawService(t *rapid.T, key cluster.Key) *cluster.Service {
	s := &cluster.Service{Key: key, Kind: One(t, "kind", []cluster.Kind{cluster.ClusterIP, cluster.ClusterIP, cluster.Headless, cluster.Headless, cluster.ExternalName})}
	s.Ports = Some(t, "ports", poolPorts, 3)
	switch s.Kind {
	case cluster.ClusterIP:
		s.ClusterIPs = Some(t, "ClusterIPs", PoolAddrs, 2)
	case cluster.ExternalName:
		s.Target = One(t, "target", poolTargets)
	}
	s.ExternalIPs = Some(t, "external IPs", PoolAddrs, 1)
	s.ExternalHosts = Some(t, "external hosts", poolTargets, 1)
	return s
}

func drawImport(t *rapid.T, key cluster.Key) *cluster.Service {
	s := &cluster.Service{Key: key, Kind: One(t, "kind", []cluster.Kind{cluster.ClusterIP, cluster.Headless}), Ports: Some(t, "ports", poolPorts, 3)}
	if s.Kind == cluster.ClusterIP {
		s.ClusterIPs = Some(t, "addresses", PoolAddrs, 2)
	}
	return s
}

func drawExport(t *rapid.T, key cluster.Key) *cluster.Slice {
	s := drawSlice(t, key)
	s.Cluster = One(t, "cluster", PoolClusters)
	return s
}

func drawSlice(t *rapid.T, key cluster.Key) *cluster.Slice {
	s := cluster.Slice{Namespace: key.Namespace, Name: key.Name, Service: One(t, "service", PoolNames), Ports: Some(t, "ports", poolPorts, 3)}
	var list []cluster.Endpoint
	for _, a := range Some(t, "endpoints", PoolAddrs, 4) {
		e := cluster.Endpoint{Addr: a}
		id := cluster.Identity{Hostname: One(t, "hostname", PoolHostnames), Pod: One(t, "pod", poolPods), TopologyZone: One(t, "zone", poolZones)}
		if id != (cluster.Identity{}) {
			e.Identity = &id
		}
		list = append(list, e)
	}
	s.Endpoints = cluster.PackEndpoints(list)
	return cluster.NewSlice(s)
}

// objectKinds repeats the kinds of object that Services need, so that most Services get
// endpoints.
var objectKinds = []string{"namespace", "service", "service", "slice", "slice", "slice", "pod", "import", "import", "export", "export", "export"}

// Change makes one random change to the model and records it in the transaction.
func (m *Model) Change(t *rapid.T, txn *cluster.Txn) {
	namespace := One(t, "namespace", PoolNamespaces)
	key := cluster.Key{Namespace: namespace, Name: One(t, "name", PoolNames)}
	remove := rapid.IntRange(0, 2).Draw(t, "remove") == 0
	switch One(t, "object", objectKinds) {
	case "namespace":
		m.changeNamespace(namespace, remove, txn)
	case "service":
		replace(m.Services, key, remove, txn.ReplaceService, func() *cluster.Service { return drawService(t, key) })
	case "slice":
		replace(m.Slices, key, remove, txn.ReplaceSlice, func() *cluster.Slice { return drawSlice(t, key) })
	case "import":
		replace(m.Imports, key, remove, txn.ReplaceImport, func() *cluster.Service { return drawImport(t, key) })
	case "export":
		replace(m.Exports, key, remove, txn.ReplaceImportSlice, func() *cluster.Slice { return drawExport(t, key) })
	case "pod":
		replace(m.Pods, key, remove, txn.ReplacePod, func() *cluster.Pod {
			return cluster.NewPod(cluster.Pod{Namespace: namespace}, cluster.Profile{Name: key.Name}, Some(t, "addresses", PoolAddrs, 2)...)
		})
	}
}

// changeNamespace adds or removes a Namespace and records it in the transaction.
func (m *Model) changeNamespace(name string, remove bool, txn *cluster.Txn) {
	if remove {
		delete(m.Namespaces, name)
		txn.DeleteNamespace(name)
		return
	}
	m.Namespaces[name] = true
	txn.PutNamespace(name)
}

// replace replaces or removes an object in a map of the model, and passes the change to
// record.
func replace[T any](objects map[cluster.Key]*T, key cluster.Key, remove bool, record func(old, now *T), draw func() *T) {
	old := objects[key]
	if remove && old == nil {
		return
	}
	if remove {
		delete(objects, key)
		record(old, nil)
		return
	}
	objects[key] = draw()
	record(old, objects[key])
}

// DrawCluster returns a random cluster, as a model and as a snapshot.
func DrawCluster(t *rapid.T) (*Model, *cluster.Snapshot) {
	m, store := NewModel(), cluster.NewStore()
	txn := store.Begin()
	for _, namespace := range PoolNamespaces[:2] {
		m.changeNamespace(namespace, false, txn)
	}
	for range rapid.IntRange(0, 40).Draw(t, "changes") {
		m.Change(t, txn)
	}
	txn.SetSynced()
	txn.Commit()
	store.Checkpoint(Serial)
	return m, store.Load()
}

// Owners returns the Services of an address: those that have it as a ClusterIP and those
// that have an endpoint with it.
func (m *Model) Owners(a netip.Addr) []cluster.Key {
	var keys []cluster.Key
	for key, s := range m.Services {
		if slices.Contains(s.ClusterIPs, a) || m.EndpointOf(key, a) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b cluster.Key) int { return a.Compare(&b) })
	return keys
}

// EndpointOf reports whether a slice of the Service has the address, whether or not the
// Service exists.
func (m *Model) EndpointOf(key cluster.Key, a netip.Addr) bool {
	for _, s := range m.SlicesOf(key) {
		for e := range s.Endpoints.All() {
			if e.Addr == a {
				return true
			}
		}
	}
	return false
}

// SlicesOf returns the slices of a Service, sorted by name.
func (m *Model) SlicesOf(key cluster.Key) []*cluster.Slice { return SlicesIn(m.Slices, key) }

// SlicesIn returns those of the slices that belong to a Service, sorted by name.
func SlicesIn(objects map[cluster.Key]*cluster.Slice, key cluster.Key) []*cluster.Slice {
	var list []*cluster.Slice
	for _, name := range slices.Sorted(slices.Values(PoolNames)) {
		if s := objects[cluster.Key{Namespace: key.Namespace, Name: name}]; s != nil && s.Service == key.Name {
			list = append(list, s)
		}
	}
	return list
}

// PodAddrs returns the addresses of a Pod.
func PodAddrs(p *cluster.Pod) []netip.Addr { return slices.Collect(p.Addrs()) }
