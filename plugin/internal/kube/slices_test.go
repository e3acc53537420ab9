package kube

import (
	"testing"

	"github.com/miekg/dns"
)

const (
	headlessService = "{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: None}}\n---\n"
	webSliceKind    = "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
)

// D15: an address gets the name of a Service that exists, or no name.
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

// D17: domain names are not addresses, and a Service with nothing else has no endpoint.
func TestD17SliceOfDomainNames(t *testing.T) {
	f := serve(t, Config{}, map[string]string{
		"all.yaml": headlessService + webSliceKind + "metadata: {name: web-x, namespace: shop, labels: {kubernetes.io/service-name: web}}\n" + "addressType: FQDN\nendpoints: [{addresses: [www.example.com]}]",
	})
	for _, qtype := range []uint16{typeA, typeAAAA, typeSRV, typeCNAME} {
		f.expect(web, qtype, nxDomain)
	}
}

// P3: stock CoreDNS makes an endpoint's name from the text of its address, even if RFC 5952
// has another spelling. Our name is the same. Manifests may have such a text, and so may
// objects from before Kubernetes 1.36, which refuses it.
func TestP3SpelledAddress(t *testing.T) {
	const endpoints = "endpoints: [{addresses: ['fd00:10:244:0::6']}, {addresses: ['FD00:10:244::0007']}, {addresses: ['fd00:0:0::']}, {addresses: ['fd00:10:244::8']}]"
	f := serve(t, Config{}, map[string]string{
		"all.yaml": headlessService + webSliceKind + "metadata: {name: web-x, namespace: shop, labels: {kubernetes.io/service-name: web}}\n" +
			"addressType: IPv6\nports: [{name: http, port: 80}]\n" + endpoints,
	})
	f.expect("fd00-10-244-0--6."+web, typeAAAA, "fd00:10:244::6")
	f.expect("fd00-10-244--6."+web, typeAAAA, nxDomain)
	f.expect("fd00-10-244--0007."+web, typeAAAA, "fd00:10:244::7")
	f.expect("fd00-0-0--0."+web, typeAAAA, "fd00::")
	f.expect("fd00-10-244--8."+web, typeAAAA, "fd00:10:244::8")
	f.expect("_http._tcp."+web, typeSRV, "0 25 80 fd00-0-0--0."+web+" 0 25 80 fd00-10-244--0007."+web+
		" 0 25 80 fd00-10-244--8."+web+" 0 25 80 fd00-10-244-0--6."+web)
	pointer, err := dns.ReverseAddr("fd00:10:244::6")
	if err != nil {
		t.Fatal(err)
	}
	f.expect(pointer, typePTR, "fd00-10-244-0--6."+web)
}
