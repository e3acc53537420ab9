package zone

import (
	"net/netip"
	"slices"

	"pgregory.net/rapid"
)

// model is a cluster in plain Go maps, against which stores are checked.
type model struct {
	namespaces map[string]bool
	services   map[Key]*Service
	slices     map[Key]*Slice // by namespace and name of the slice
	imports    map[Key]*Service
	exports    map[Key]*Slice // the imports' slices
	pods       map[Key]*Pod
}

func newModel() *model {
	return &model{map[string]bool{}, map[Key]*Service{}, map[Key]*Slice{}, map[Key]*Service{}, map[Key]*Slice{}, map[Key]*Pod{}}
}

// The pools are small, so that objects share addresses, names and labels.
var (
	poolNamespaces = []string{"a", "b", "hidden"}
	poolNames      = []string{"web", "db", "1st"}
	poolHostnames  = []string{"", "", "", "h", "H", "10-0-0-2", "tcp"}
	poolPods       = []string{"", "web-0", "h", "10-0-0-1", "do.t"}
	poolZones      = []string{"", "", "z1", "eu.z1", "pin"}
	poolClusters   = []string{"", "east", "West", "tcp", "h"}
	poolPorts      = []Port{{"http", "tcp", 80}, {"", "tcp", 81}, {"dns", "udp", 53}, {"dns", "tcp", 53}, {"http", "tcp", 8080}}
	poolTargets    = []string{"", "www.example.com.", "web.a.svc.cluster.local.", "db.B.svc.cluster.local.", "svc.cluster.local.", "db.a.svc.clusterset.local."}
	poolAddrs      = []netip.Addr{
		netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.1.1"),
		netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("192.168.0.1"), netip.MustParseAddr("::1"),
		netip.MustParseAddr("2001:db8::"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("fd00::1"),
	}
)

func some[T any](t *rapid.T, label string, pool []T, most int) []T {
	return rapid.SliceOfN(rapid.SampledFrom(pool), 0, most).Draw(t, label)
}

func one[T any](t *rapid.T, label string, pool []T) T {
	return rapid.SampledFrom(pool).Draw(t, label)
}

func drawService(t *rapid.T, key Key) *Service {
	s := &Service{Key: key, Kind: one(t, "kind", []Kind{ClusterIP, ClusterIP, Headless, Headless, ExternalName})}
	s.Ports = some(t, "ports", poolPorts, 3)
	switch s.Kind {
	case ClusterIP:
		s.ClusterIPs = some(t, "ClusterIPs", poolAddrs, 2)
	case ExternalName:
		s.Target = one(t, "target", poolTargets)
	}
	s.ExternalIPs = some(t, "external IPs", poolAddrs, 1)
	s.ExternalHosts = some(t, "external hosts", poolTargets, 1)
	return s
}

func drawImport(t *rapid.T, key Key) *Service {
	s := &Service{Key: key, Kind: one(t, "kind", []Kind{ClusterIP, Headless}), Ports: some(t, "ports", poolPorts, 3)}
	if s.Kind == ClusterIP {
		s.ClusterIPs = some(t, "addresses", poolAddrs, 2)
	}
	return s
}

func drawExport(t *rapid.T, key Key) *Slice {
	s := drawSlice(t, key)
	s.Cluster = one(t, "cluster", poolClusters)
	return s
}

func drawSlice(t *rapid.T, key Key) *Slice {
	s := Slice{Namespace: key.Namespace, Name: key.Name, Service: one(t, "service", poolNames), Ports: some(t, "ports", poolPorts, 3)}
	var list []Endpoint
	for _, a := range some(t, "endpoints", poolAddrs, 4) {
		e := Endpoint{Addr: a}
		id := Identity{one(t, "hostname", poolHostnames), one(t, "pod", poolPods), one(t, "zone", poolZones)}
		if id != (Identity{}) {
			e.Identity = &id
		}
		list = append(list, e)
	}
	s.Endpoints = PackEndpoints(list)
	return NewSlice(s)
}

// objectKinds has the kinds of object as often as it takes for Services to have
// endpoints.
var objectKinds = []string{"namespace", "service", "service", "slice", "slice", "slice", "pod", "import", "import", "export", "export", "export"}

// change makes one random change to the model, and tells a transaction of it.
func (m *model) change(t *rapid.T, txn *Txn) {
	namespace := one(t, "namespace", poolNamespaces)
	key := Key{namespace, one(t, "name", poolNames)}
	remove := rapid.IntRange(0, 2).Draw(t, "remove") == 0
	switch one(t, "object", objectKinds) {
	case "namespace":
		m.changeNamespace(namespace, remove, txn)
	case "service":
		replace(m.services, key, remove, txn.ReplaceService, func() *Service { return drawService(t, key) })
	case "slice":
		replace(m.slices, key, remove, txn.ReplaceSlice, func() *Slice { return drawSlice(t, key) })
	case "import":
		replace(m.imports, key, remove, txn.ReplaceImport, func() *Service { return drawImport(t, key) })
	case "export":
		replace(m.exports, key, remove, txn.ReplaceImportSlice, func() *Slice { return drawExport(t, key) })
	case "pod":
		replace(m.pods, key, remove, txn.ReplacePod, func() *Pod {
			return NewPod(Pod{Namespace: namespace}, Profile{Name: key.Name}, some(t, "addresses", poolAddrs, 2)...)
		})
	}
}

func (m *model) changeNamespace(name string, remove bool, txn *Txn) {
	if remove {
		delete(m.namespaces, name)
		txn.DeleteNamespace(name)
		return
	}
	m.namespaces[name] = true
	txn.PutNamespace(name)
}

// replace replaces an object, or removes it, in a model's map and in a store.
func replace[T any](objects map[Key]*T, key Key, remove bool, tell func(old, now *T), draw func() *T) {
	old := objects[key]
	if remove && old == nil {
		return
	}
	if remove {
		delete(objects, key)
		tell(old, nil)
		return
	}
	objects[key] = draw()
	tell(old, objects[key])
}

// drawCluster is a random cluster, as a model and as a snapshot.
func drawCluster(t *rapid.T) (*model, *Snapshot) {
	m, store := newModel(), NewStore()
	txn := store.Begin()
	for _, namespace := range poolNamespaces[:2] {
		m.changeNamespace(namespace, false, txn)
	}
	for range rapid.IntRange(0, 40).Draw(t, "changes") {
		m.change(t, txn)
	}
	txn.SetSynced()
	txn.Commit()
	store.Checkpoint(testSerial)
	return m, store.Load()
}

// owners are the Services of an address: those whose ClusterIP it is and those
// that have an endpoint with it.
func (m *model) owners(a netip.Addr) []Key {
	var keys []Key
	for key, s := range m.services {
		if slices.Contains(s.ClusterIPs, a) || m.endpointOf(key, a) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b Key) int { return a.compare(&b) })
	return keys
}

// endpointOf says whether a Service, or one that may come, has the endpoint.
func (m *model) endpointOf(key Key, a netip.Addr) bool {
	for _, s := range m.slicesOf(key) {
		for e := range s.Endpoints.All() {
			if e.Addr == a {
				return true
			}
		}
	}
	return false
}

// slicesOf are the slices of a Service, by name.
func (m *model) slicesOf(key Key) []*Slice { return slicesIn(m.slices, key) }

func slicesIn(objects map[Key]*Slice, key Key) []*Slice {
	var list []*Slice
	for _, name := range slices.Sorted(slices.Values(poolNames)) {
		if s := objects[Key{key.Namespace, name}]; s != nil && s.Service == key.Name {
			list = append(list, s)
		}
	}
	return list
}
