package clusterdns

import (
	"context"
	"testing"

	"github.com/coredns/coredns/plugin/metadata"
	"github.com/google/go-cmp/cmp"
)

var _ metadata.Provider = (*ClusterDNS)(nil)

type values = map[string]string

// valuesOf returns the metadata of a question.
func valuesOf(d *ClusterDNS, addr, name string) values {
	ctx := d.Metadata(metadata.ContextWithMetadata(context.Background()), questionFrom(addr, name))
	all := values{}
	for key, value := range metadata.ValueFuncs(ctx) {
		all[key] = value()
	}
	return all
}

// named returns the values for a name of a Service or Pod, with others added.
func named(kind, namespace, service string, others values) values {
	all := values{
		"kubernetes/kind": kind, "kubernetes/namespace": namespace, "kubernetes/service": service,
		"kubernetes/endpoint": "", "kubernetes/port-name": "", "kubernetes/protocol": "",
	}
	for key, value := range others {
		all["kubernetes/"+key] = value
	}
	return all
}

func TestMetadataOfNames(t *testing.T) {
	d := podHandler(t, "clusterdns cluster.local in-addr.arpa")
	failed := values{"kubernetes/parse-error": "invalid query name"}
	for _, tc := range []struct {
		name string
		want values
	}{
		{"cluster.local.", named("", "", "", nil)},
		{"Web.Shop.svc.cluster.local.", named("svc", "shop", "web", nil)},
		{"10-0-0-1.shop.pod.cluster.local.", named("pod", "shop", "10-0-0-1", nil)},
		{"db-0.db.shop.svc.cluster.local.", named("svc", "shop", "db", values{"endpoint": "db-0"})},
		{"_http._tcp.web.shop.svc.cluster.local.", named("svc", "shop", "web", values{"port-name": "http", "protocol": "tcp"})},
		{"web.cluster.local.", failed},
		{"1.0.0.10.in-addr.arpa.", failed},
		{"a.b.c.web.shop.svc.cluster.local.", failed},
		{"www.example.com.", values{}},
	} {
		if diff := cmp.Diff(tc.want, valuesOf(d, podAddr, tc.name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

// D11: names of the cluster set have a cluster, and the name of an endpoint is not taken
// for that of a port.
func TestD11MetadataOfClusterSets(t *testing.T) {
	d := podHandler(t, "clusterdns cluster.local set.local {\n multicluster set.local\n}")
	for name, want := range map[string]values{
		"web.shop.svc.set.local.":            named("svc", "shop", "web", values{"cluster": ""}),
		"db-0.east.db.shop.svc.set.local.":   named("svc", "shop", "db", values{"endpoint": "db-0", "cluster": "east"}),
		"_http._tcp.web.shop.svc.set.local.": named("svc", "shop", "web", values{"cluster": "", "port-name": "http", "protocol": "tcp"}),
	} {
		if diff := cmp.Diff(want, valuesOf(d, podAddr, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestMetadataOfTopologyZones(t *testing.T) {
	d := podHandler(t, "clusterdns cluster.local")
	d.view.Zonal = true
	for name, want := range map[string]string{
		"db.shop.svc.cluster.local.":                "",
		"eu.1.pin._zone.db.shop.svc.cluster.local.": "eu.1",
	} {
		if diff := cmp.Diff(named("svc", "shop", "db", values{"zone": want}), valuesOf(d, podAddr, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestMetadataOfClients(t *testing.T) {
	d := podHandler(t, "clusterdns cluster.local {\n pods verified\n}")
	for addr, want := range map[string]values{
		podAddr: {
			"kubernetes/client-namespace":              "shop",
			"kubernetes/client-pod-name":               "web-0",
			"kubernetes/client-label/app":              "web",
			"kubernetes/client-label/example.com/tier": "1",
		},
		nodeAddr:     {},
		"10.244.0.9": {},
	} {
		if diff := cmp.Diff(want, valuesOf(d, addr, "www.example.com.")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", addr, diff)
		}
	}
}

func TestMetadataOfClientsNeedsPods(t *testing.T) {
	d := podHandler(t, "clusterdns cluster.local {\n pods insecure\n}")
	if got := valuesOf(d, podAddr, "www.example.com."); len(got) > 0 {
		t.Errorf("got %v", got)
	}
}
