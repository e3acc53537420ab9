package clustertest

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// Serial is the serial of the snapshots that this package makes.
const Serial = 7

// T is what testing.TB and rapid.T have in common.
type T interface {
	Helper()
	Errorf(format string, args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// Load adds the objects of a cluster to a transaction. The text has one object on each
// line:
//
//	namespace default
//	clusterip default/web 10.3.0.1,2001:db8::1 https/tcp/443 /tcp/80
//	headless default/db https/tcp/443
//	external default/foo www.example.com. https/tcp/443
//	slice default/db a https/tcp/443 10.3.0.100=my-pet 10.3.0.101@pod-name 10.3.0.102#topology-zone
//	imported-clusterip default/web 10.4.0.1 https/tcp/443
//	imported-headless default/db https/tcp/443
//	imported-slice east default/db a https/tcp/443 10.4.0.100=my-pet 10.4.0.101
//	pod default web 10.0.0.1,2001:db8::5
//
// Services with addresses and hostnames outside the cluster:
//
//	outside default/web 192.0.2.1,2001:db8::1 lb.example.net. https/tcp/443
//	outside-headless default/db 192.0.2.2 - https/tcp/443
func Load(t T, txn *cluster.Txn, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		switch f[0] {
		case "namespace":
			txn.PutNamespace(f[1])
		case "clusterip":
			txn.ReplaceService(nil, Virtual(t, f[1:]))
		case "headless":
			txn.ReplaceService(nil, headless(t, f[1:]))
		case "external":
			txn.ReplaceService(nil, &cluster.Service{Key: KeyOf(f[1]), Kind: cluster.ExternalName, Target: strings.TrimPrefix(f[2], "-"), Ports: Ports(t, f[3:])})
		case "outside":
			txn.ReplaceService(nil, outside(t, f[1:]))
		case "outside-headless":
			svc := outside(t, f[1:])
			svc.Kind = cluster.Headless
			txn.ReplaceService(nil, svc)
		case "slice":
			txn.ReplaceSlice(nil, SliceOf(t, f[1:]))
		case "imported-clusterip":
			txn.ReplaceImport(nil, Virtual(t, f[1:]))
		case "imported-headless":
			txn.ReplaceImport(nil, headless(t, f[1:]))
		case "imported-slice":
			txn.ReplaceImportSlice(nil, ImportedSlice(t, f[1:]))
		case "pod":
			txn.ReplacePod(nil, cluster.NewPod(cluster.Pod{Namespace: f[1]}, cluster.Profile{Name: f[2]}, Addrs(t, f[3])...))
		default:
			t.Fatalf("no such object: %s", line)
		}
	}
}

// Virtual reads a Service with ClusterIPs: a key, addresses, ports.
func Virtual(t T, f []string) *cluster.Service {
	t.Helper()
	return &cluster.Service{Key: KeyOf(f[0]), ClusterIPs: Addrs(t, f[1]), Ports: Ports(t, f[2:])}
}

// headless reads a headless Service: a key, ports.
func headless(t T, f []string) *cluster.Service {
	t.Helper()
	return &cluster.Service{Key: KeyOf(f[0]), Kind: cluster.Headless, Ports: Ports(t, f[1:])}
}

// outside reads a Service with addresses outside the cluster: a key, addresses, hostnames,
// ports.
func outside(t T, f []string) *cluster.Service {
	t.Helper()
	svc := &cluster.Service{Key: KeyOf(f[0]), ExternalIPs: Addrs(t, f[1]), Ports: Ports(t, f[3:])}
	if f[2] != "-" {
		svc.ExternalHosts = strings.Split(f[2], ",")
	}
	return svc
}

// KeyOf reads a key: a Namespace and a name with a slash between them.
func KeyOf(text string) cluster.Key {
	namespace, name, _ := strings.Cut(text, "/")
	return cluster.Key{Namespace: namespace, Name: name}
}

// Addrs reads addresses with commas between them, or "-" for none.
func Addrs(t T, text string) []netip.Addr {
	t.Helper()
	if text == "-" {
		return nil
	}
	var addrs []netip.Addr
	for s := range strings.SplitSeq(text, ",") {
		addrs = append(addrs, Addr(t, s))
	}
	return addrs
}

// Addr reads an address.
func Addr(t T, text string) netip.Addr {
	t.Helper()
	a, err := netip.ParseAddr(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Ports reads ports as name/protocol/number.
func Ports(t T, fields []string) []cluster.Port {
	t.Helper()
	var ports []cluster.Port
	for _, f := range fields {
		part := strings.Split(f, "/")
		number, err := strconv.ParseUint(part[2], 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		ports = append(ports, cluster.Port{Name: part[0], Protocol: part[1], Number: uint16(number)})
	}
	return ports
}

// SliceOf reads a slice: the key of its Service, its name, ports, endpoints.
func SliceOf(t T, f []string) *cluster.Slice {
	t.Helper()
	key := KeyOf(f[0])
	s := cluster.Slice{Namespace: key.Namespace, Service: key.Name, Name: f[1]}
	rest := f[2:]
	isEndpoint := func(f string) bool { return !strings.Contains(f, "/") }
	ports := slices.IndexFunc(rest, isEndpoint)
	if ports < 0 {
		ports = len(rest)
	}
	s.Ports = Ports(t, rest[:ports])
	var list []cluster.Endpoint
	for _, f := range rest[ports:] {
		addr, topologyZone, _ := strings.Cut(f, "#")
		addr, hostname, _ := strings.Cut(addr, "=")
		addr, pod, _ := strings.Cut(addr, "@")
		e := cluster.Endpoint{Addr: Addr(t, addr)}
		if id := (cluster.Identity{Hostname: hostname, Pod: pod, TopologyZone: topologyZone}); id != (cluster.Identity{}) {
			e.Identity = &id
		}
		list = append(list, e)
	}
	s.Endpoints = cluster.PackEndpoints(list)
	return cluster.NewSlice(s)
}

// ImportedSlice reads the slice of an import: the cluster that exports it, or "-" for none,
// and the fields of SliceOf.
func ImportedSlice(t T, f []string) *cluster.Slice {
	t.Helper()
	s := SliceOf(t, f[1:])
	s.Cluster = strings.TrimPrefix(f[0], "-")
	return s
}

// Snapshot returns a synced snapshot of the cluster that the text describes, with a serial.
func Snapshot(t T, text string) *cluster.Snapshot {
	t.Helper()
	store := cluster.NewStore()
	txn := store.Begin()
	Load(t, txn, text)
	txn.SetSynced()
	txn.Commit()
	store.Checkpoint(Serial)
	return store.Load()
}

// Commit commits a change in a transaction of its own and reports whether anything changed.
func Commit(store *cluster.Store, change func(*cluster.Txn)) bool {
	txn := store.Begin()
	change(txn)
	return txn.Commit()
}
