package convert

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

const webSliceMeta = "metadata: {name: web-x, namespace: shop, labels: {kubernetes.io/service-name: web}}\n"

// anonymous returns a slice of endpoints that have nothing but an address.
func anonymous(texts ...string) *cluster.Slice {
	s := &cluster.Slice{Namespace: "shop", Name: "web-x", Service: "web"}
	var list []cluster.Endpoint
	for _, a := range addrs(texts...) {
		list = append(list, cluster.Endpoint{Addr: a})
	}
	s.Endpoints = cluster.PackEndpoints(list)
	return s
}

var sliceTests = []struct {
	name     string
	settings Settings
	text     string
	want     *cluster.Slice
}{
	{
		name: "by address",
		text: webSliceMeta + "addressType: IPv4\nendpoints: [{addresses: [10.1.0.2]}, {addresses: [10.1.0.1]}]",
		want: anonymous("10.1.0.1", "10.1.0.2"),
	},
	{
		name: "IPv6",
		text: webSliceMeta + "addressType: IPv6\nendpoints: [{addresses: ['fd00::1']}]",
		want: anonymous("fd00::1"),
	},
	{
		name: "address that is none",
		text: webSliceMeta + "addressType: IPv4\nendpoints: [{addresses: [10.1.0.1, 10.1.0.300, x]}]",
		want: anonymous("10.1.0.1"),
	},
	{
		name: "readiness",
		text: webSliceMeta + "addressType: IPv4\nendpoints: [{addresses: [10.1.0.1]}, {addresses: [10.1.0.2], conditions: {ready: true}}, {addresses: [10.1.0.3], conditions: {ready: false, serving: true, terminating: true}}]",
		want: anonymous("10.1.0.1", "10.1.0.2"),
	},
	{
		name: "nobody ready",
		text: webSliceMeta + "addressType: IPv4\nendpoints: [{addresses: [10.1.0.1], conditions: {ready: false}}]",
		want: anonymous(),
	},
	{
		name: "ports",
		text: webSliceMeta + "addressType: IPv4\nendpoints: []\nports: [{name: HTTP, port: 80}, {port: 53, protocol: UDP}, {name: any}, {name: zero, port: 0}]",
		want: &cluster.Slice{Namespace: "shop", Name: "web-x", Service: "web", Ports: []cluster.Port{{Name: "http", Protocol: "tcp", Number: 80}, {Protocol: "udp", Number: 53}}},
	},
	{
		name: "hostname",
		text: webSliceMeta + "addressType: IPv4\nendpoints: [{addresses: [10.1.0.1], hostname: Web-0, zone: a}]",
		want: &cluster.Slice{Namespace: "shop", Name: "web-x", Service: "web", Endpoints: cluster.PackEndpoints([]cluster.Endpoint{
			{Addr: addrs("10.1.0.1")[0], Identity: &cluster.Identity{Hostname: "web-0"}},
		})},
	},
	{
		name: "Pod names not asked for",
		text: webSliceMeta + "addressType: IPv4\nendpoints: [{addresses: [10.1.0.1], targetRef: {kind: Pod, name: web-0}}]",
		want: anonymous("10.1.0.1"),
	},
	{
		name:     "Pod names asked for",
		settings: Settings{PodNames: true},
		text:     webSliceMeta + "addressType: IPv4\nendpoints: [{addresses: [10.1.0.1], targetRef: {kind: Pod, name: web-0}}, {addresses: [10.1.0.2], targetRef: {kind: Node, name: node-1}}]",
		want: &cluster.Slice{Namespace: "shop", Name: "web-x", Service: "web", Endpoints: cluster.PackEndpoints([]cluster.Endpoint{
			{Addr: addrs("10.1.0.1")[0], Identity: &cluster.Identity{Pod: "web-0"}},
			{Addr: addrs("10.1.0.2")[0], Identity: &cluster.Identity{Pod: "node-1"}},
		})},
	},
	{
		name:     "topology zones asked for",
		settings: Settings{TopologyZones: true},
		text:     webSliceMeta + "addressType: IPv4\nendpoints: [{addresses: [10.1.0.1], zone: EU-1}, {addresses: [10.1.0.2], zone: eu-1, hostname: web-2}, {addresses: [10.1.0.3]}]",
		want: &cluster.Slice{Namespace: "shop", Name: "web-x", Service: "web", Endpoints: cluster.PackEndpoints([]cluster.Endpoint{
			{Addr: addrs("10.1.0.1")[0], Identity: &cluster.Identity{TopologyZone: "eu-1"}},
			{Addr: addrs("10.1.0.2")[0], Identity: &cluster.Identity{Hostname: "web-2", TopologyZone: "eu-1"}},
			{Addr: addrs("10.1.0.3")[0]},
		})},
	},
}

func TestSlice(t *testing.T) {
	for _, tc := range sliceTests {
		t.Run(tc.name, func(t *testing.T) {
			got := New(tc.settings).Slice(decode[discoveryv1.EndpointSlice](t, tc.text))
			if diff := cmp.Diff(tc.want, got, compared); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Equal parts of objects are in memory once.
func TestSharing(t *testing.T) {
	const text = `
metadata: {name: web-x, namespace: shop, labels: {kubernetes.io/service-name: web}}
addressType: IPv4
endpoints: [{addresses: [10.1.0.1, 10.1.0.2], hostname: web-0}]
ports: [{name: http, port: 80}]`
	c := New(Settings{})
	a := c.Slice(decode[discoveryv1.EndpointSlice](t, text))
	b := c.Slice(decode[discoveryv1.EndpointSlice](t, text))
	if &a.Ports[0] != &b.Ports[0] {
		t.Error("two slices have the same ports twice")
	}
	if a.Endpoints.At(0).Identity != a.Endpoints.At(1).Identity {
		t.Error("two addresses of an endpoint have the same identity twice")
	}
}

func TestPoolForgets(t *testing.T) {
	p := newPool()
	for i := range 3 * poolLimit {
		p.text(string(rune(i)) + "x")
		p.ports([]cluster.Port{{Number: uint16(i), Name: string(rune(i))}})
	}
	if len(p.strings) > poolLimit || len(p.lists) > poolLimit {
		t.Errorf("%d strings and %d lists are kept", len(p.strings), len(p.lists))
	}
}
