package convert

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

func TestConvertServiceImport(t *testing.T) {
	const meta = "metadata: {name: web, namespace: shop}\n"
	for _, tc := range []struct {
		name string
		text string
		want *cluster.Service
	}{
		{
			name: "ClusterSetIP",
			text: meta + "spec: {type: ClusterSetIP, ips: [10.42.0.1, 'fd42::1'], ports: [{name: http, protocol: TCP, port: 80}, {port: 53, protocol: UDP}]}",
			want: &cluster.Service{
				Key: webKey, ClusterIPs: addrs("10.42.0.1", "fd42::1"),
				Ports: []cluster.Port{{Name: "http", Protocol: "tcp", Number: 80}, {Protocol: "udp", Number: 53}},
			},
		},
		{
			name: "ClusterSetIP without addresses and ports yet",
			text: meta + "spec: {type: ClusterSetIP, ips: [none], ports: []}",
			want: &cluster.Service{Key: webKey},
		},
		{
			name: "Headless",
			text: meta + "spec: {type: Headless, ports: [{name: http, port: 80}]}",
			want: &cluster.Service{Key: webKey, Kind: cluster.Headless, Ports: []cluster.Port{{Name: "http", Protocol: "tcp", Number: 80}}},
		},
		{
			name: "Headless with addresses, which mean nothing",
			text: meta + "spec: {type: Headless, ips: [10.42.0.1]}",
			want: &cluster.Service{Key: webKey, Kind: cluster.Headless},
		},
		{
			name: "ports that the API server lets through",
			text: meta + "spec: {type: Headless, ports: [{name: HTTP, port: 80}, {name: a.b, port: 81}, {name: a b, port: 82}, {port: 83, protocol: a.b}, {port: 0}, {port: 70000}, {port: 84, protocol: sctp}]}",
			want: &cluster.Service{Key: webKey, Kind: cluster.Headless, Ports: []cluster.Port{
				{Name: "http", Protocol: "tcp", Number: 80},
				{Protocol: "tcp", Number: 81},
				{Protocol: "tcp", Number: 82},
				{Protocol: "sctp", Number: 84},
			}},
		},
		{
			name: "a name that is no label",
			text: "metadata: {name: web.east, namespace: shop}\nspec: {type: ClusterSetIP, ips: [10.42.0.1]}",
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := New(Settings{}).ServiceImport(decode[ServiceImport](t, tc.text))
			if diff := cmp.Diff(tc.want, got, compared); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// The labels of a slice decide whether it belongs to the cluster's own Service, to an
// imported one, to both or to none.
func TestConvertImportedSlice(t *testing.T) {
	for _, tc := range []struct {
		name           string
		labels         string
		local, service string
		cluster        string
	}{
		{"of this cluster", "kubernetes.io/service-name: web", "web", "", ""},
		{"imported", "multicluster.kubernetes.io/service-name: web, multicluster.kubernetes.io/source-cluster: east", "", "web", "east"},
		{
			"both", "kubernetes.io/service-name: derived, multicluster.kubernetes.io/service-name: web, multicluster.kubernetes.io/source-cluster: East",
			"derived", "web", "east",
		},
		{"of this cluster, copied from another", "kubernetes.io/service-name: web, multicluster.kubernetes.io/source-cluster: east", "web", "", ""},
		{"imported from nobody", "multicluster.kubernetes.io/service-name: web", "", "web", ""},
		{"imported from a cluster that DNS cannot name", "multicluster.kubernetes.io/service-name: web, multicluster.kubernetes.io/source-cluster: east.eu", "", "web", ""},
		{"of nothing", "app: web", "", "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := decode[discoveryv1.EndpointSlice](t, "metadata: {name: x, namespace: shop, labels: {"+tc.labels+"}}\naddressType: IPv4\nendpoints: [{addresses: [10.1.0.1]}]")
			c := New(Settings{})
			local, imported := c.Slice(s), c.ImportedSlice(s)
			if (local != nil) != (tc.local != "") || local != nil && (local.Service != tc.local || local.Cluster != "") {
				t.Errorf("of this cluster: %+v", local)
			}
			if (imported != nil) != (tc.service != "") || imported != nil && (imported.Service != tc.service || imported.Cluster != tc.cluster) {
				t.Errorf("imported: %+v", imported)
			}
		})
	}
}
