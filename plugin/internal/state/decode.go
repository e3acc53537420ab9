package state

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// What a reader refuses, because Kubernetes accepts no such name.
const (
	maxLabel = 63
	maxText  = 1024
)

// Why a file is not used.
var (
	errVersion = fmt.Errorf("another version of ClusterDNS has written it, or another program: expected the first line %q", strings.TrimSpace(first))
	errDamaged = errors.New("it is damaged, or a part of it is missing")
)

// A File is the content of a file whose sum is right.
type File struct {
	Header Header
	rest   string // behind the header
}

// decode checks the version and the sum, and reads the header.
func decode(data []byte) (*File, error) {
	if begins := string(data[:min(len(data), len(first))]); !strings.HasPrefix(first, begins) {
		return nil, errVersion
	}
	if len(data) < len(first)+sha256.Size {
		return nil, errDamaged
	}
	sum, body := data[len(first):][:sha256.Size], data[len(first)+sha256.Size:]
	if sha256.Sum256(body) != [sha256.Size]byte(sum) {
		return nil, errDamaged
	}
	r := &reader{rest: string(body)}
	h := Header{Cluster: r.text(maxText), Watched: r.text(math.MaxInt32), Published: r.text(math.MaxInt32), Heard: int64(r.number(math.MaxInt64)), Serial: uint32(r.number(math.MaxUint32))}
	if r.bad {
		return nil, errDamaged
	}
	return &File{Header: h, rest: r.rest}, nil
}

// Snapshot reads the objects. They share the memory of the file.
func (f *File) Snapshot() (*cluster.Snapshot, error) {
	store := cluster.NewStore()
	d := &decoder{reader: reader{rest: f.rest, lists: map[string][]cluster.Port{}}, txn: store.Begin()}
	d.namespaces()
	d.nodes(d.txn.ReplaceService, d.txn.ReplaceSlice)
	d.nodes(d.txn.ReplaceImport, d.txn.ReplaceImportSlice)
	d.pods()
	d.published()
	if d.bad || d.rest != "" {
		return nil, errDamaged
	}
	d.txn.SetSynced()
	d.txn.Commit()
	return store.Load(), nil
}

// decoder puts the objects of a file into a transaction.
type decoder struct {
	reader
	txn       *cluster.Txn
	endpoints []cluster.Endpoint // scratch
}

func (d *decoder) namespaces() {
	before := ""
	for range d.count() {
		name := d.name()
		if name <= before {
			d.fail() // each comes once, in order
			return
		}
		d.txn.PutNamespace(name)
		before = name
	}
}

// nodes reads Services or ServiceImports. A key that comes twice would make the indices wrong.
func (d *decoder) nodes(putService func(old, now *cluster.Service), putSlice func(old, now *cluster.Slice)) {
	var before cluster.Key
	for range d.count() {
		key := cluster.Key{Namespace: d.name(), Name: d.name()}
		if d.bad || before.Compare(&key) >= 0 {
			d.fail()
			return
		}
		before = key
		service := d.service(key)
		if service != nil && !d.bad {
			putService(nil, service)
		}
		d.slices(key, putSlice)
	}
}

// service reads a Service, or returns nil if only its slices are known.
func (d *decoder) service(key cluster.Key) *cluster.Service {
	if !d.flag() {
		return nil
	}
	s := &cluster.Service{
		Key:         key,
		Kind:        cluster.Kind(d.number(uint64(cluster.ExternalName))),
		ClusterIPs:  d.addrs(),
		Ports:       d.sharedPorts(),
		Target:      d.text(maxText),
		ExternalIPs: d.addrs(),
	}
	s.ExternalHosts = d.texts(isTarget)
	if !isTarget(s.Target) {
		d.fail()
	}
	return s
}

func (d *decoder) slices(key cluster.Key, put func(old, now *cluster.Slice)) {
	before := ""
	for range d.count() {
		s := cluster.Slice{Namespace: key.Namespace, Service: key.Name, Name: d.text(maxText), Cluster: d.label(), Ports: d.sharedPorts()}
		s.Endpoints = d.packed()
		if d.bad || s.Name <= before {
			d.fail()
			return
		}
		put(nil, cluster.NewSlice(s))
		before = s.Name
	}
}

func (d *decoder) packed() cluster.Endpoints {
	d.endpoints = d.endpoints[:0]
	for range d.count() {
		e := cluster.Endpoint{Addr: d.addr()}
		if d.flag() {
			e.Identity = &cluster.Identity{Hostname: d.label(), Pod: d.text(maxText), TopologyZone: d.label()}
		}
		if d.bad {
			return cluster.Endpoints{}
		}
		d.endpoints = append(d.endpoints, e)
	}
	return cluster.PackEndpoints(d.endpoints)
}

// pods reads Pods and numbers them: an ID only has to differ from the others.
func (d *decoder) pods() {
	resolvers := map[string]*cluster.Resolver{}
	for i := range d.count() {
		p := cluster.Pod{ID: uint64(i), Namespace: d.name()}
		profile := cluster.Profile{Name: d.text(maxText)}
		p.HostNetwork = d.flag()
		addrs := d.addrs()
		profile.Labels = d.labels()
		profile.Resolver = d.resolver(resolvers)
		if d.bad {
			return
		}
		d.txn.ReplacePod(nil, cluster.NewPod(p, profile, addrs...))
	}
}

func (d *decoder) labels() map[string]string {
	n := d.count()
	if n == 0 {
		return nil
	}
	labels := map[string]string{}
	for range n {
		key := d.text(maxText)
		labels[key] = d.text(maxText)
	}
	return labels
}

// resolver reads the settings of a stub resolver, which Pods share.
func (d *decoder) resolver(known map[string]*cluster.Resolver) *cluster.Resolver {
	if !d.flag() {
		return nil
	}
	before := d.rest
	policy, searches, ndots := d.text(maxText), d.texts(isWire), int(d.number(math.MaxInt32))-1
	spelled := strings.TrimSuffix(before, d.rest)
	if known[spelled] == nil {
		known[spelled] = cluster.NewResolver(policy, searches, ndots)
	}
	return known[spelled]
}
