package kube

import (
	"testing"
)

const (
	headlessService = "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: None}}\n---\n"
	webSliceKind    = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
)

// D15: an address is named after a Service that exists, or not at all.
func TestD15SliceWithoutService(t *testing.T) {
	const pointer = "1.0.1.10.in-addr.arpa."
	for labels, want := range map[string]string{
		"{kubernetes.io/service-name: web}":                             "10-1-0-1.web.shop.svc.cluster.local.",
		"{kubernetes.io/service-name: missing}":                         nxDomain,
		"{kubernetes.io/service-name: ''}":                              nxDomain,
		"{app: web}":                                                    nxDomain,
		"{multicluster.kubernetes.io/service-name: web, app: imported}": nxDomain,
	} {
		meta := "metadata: {name: web-x, namespace: shop, labels: " + labels + "}\n"
		f := serve(t, Config{}, map[string]string{
			"all.yaml": headlessService + webSliceKind + meta + "addressType: IPv4\nendpoints: [{addresses: [10.1.0.1]}]",
		})
		f.expect(pointer, typePTR, want)
	}
}

// D17: domain names are no addresses, and a Service with nothing else has no endpoint.
func TestD17SliceOfDomainNames(t *testing.T) {
	f := serve(t, Config{}, map[string]string{
		"all.yaml": headlessService + webSliceKind + "metadata: {name: web-x, namespace: shop, labels: {kubernetes.io/service-name: web}}\n" + "addressType: FQDN\nendpoints: [{addresses: [www.example.com]}]",
	})
	for _, qtype := range []uint16{typeA, typeAAAA, typeSRV, typeCNAME} {
		f.expect(web, qtype, nxDomain)
	}
}
