package manifest

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
)

// aService returns a Service of the Namespace default.
func aService(name, spec string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\nspec: " + spec + "\n"
}

func alias(name, target string) string {
	return aService(name, "{type: ExternalName, externalName: "+target+"}")
}

var warningTests = []struct {
	name string
	text string
	want []string // lines, with FILE for the path
}{
	{"nothing to say", kubetest.WebService + "---\n" + kubetest.WebSlice, nil},
	{
		"kinds",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\n" + kubetest.WebService + "---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: web}\n",
		[]string{
			"left out, of a kind that DNS does not show: apps/v1 Deployment (FILE:1)",
			"left out, Endpoints are not read: write an EndpointSlice (discovery.k8s.io/v1) with the label kubernetes.io/service-name: v1 Endpoints (FILE:16)",
		},
	},
	{
		"an EndpointSlice of another version",
		kubetest.WebService + "---\n" + strings.Replace(kubetest.WebSlice, "/v1", "/v1beta1", 1),
		[]string{"left out, of a version of the API that is not read: discovery.k8s.io/v1beta1 EndpointSlice: write discovery.k8s.io/v1 (FILE:12)"},
	},
	{
		"no clusterIP",
		aService("a", "{}") + "---\n" + aService("b", "{clusterIP: None}") + "---\n" + aService("c", "{type: ExternalName, externalName: example.com}") + "---\n" + aService("d", "{clusterIP: nonsense}"),
		[]string{
			"Services without a clusterIP, which have no address: Service default/a (FILE:1)",
			`left out, expected an IP address: Service default/d: clusterIP "nonsense" (FILE:16)`,
		},
	},
	{
		"letters of the other case, and types that there are not",
		"apiVersion: v1\nkind: service\nmetadata: {name: web}\n---\n" + aService("a", "{type: externalname, externalName: example.com}") + "---\n" +
			aService("b", "{externalName: example.com}") + "---\n" + aService("c", "{type: LoadBalancer, clusterIP: 10.0.0.1}") +
			"status: {loadBalancer: {ingress: [{hostname: 192.0.2.1}, {hostname: 'https://lb.example.com'}, {hostname: lb.example.com}]}}\n",
		[]string{
			"left out, of a kind that DNS does not show: v1 service: write Service (FILE:1)",
			"Services without a clusterIP, which have no address: Service default/b: externalName needs the type ExternalName (FILE:10)",
			`Services of a type that Kubernetes does not have: Service default/a: "externalname", expected one of ["ClusterIP" "NodePort" "LoadBalancer" "ExternalName"] (FILE:5)`,
			`hostnames of load balancers left out, expected a DNS name, or an address as ip: Service default/c: "192.0.2.1" (FILE:15), Service default/c: "https://lb.example.com" (FILE:15)`,
		},
	},
	{
		"slices of no Service",
		kubetest.WebSlice + "---\n" + strings.ReplaceAll(kubetest.WebService, "shop", "other") + "---\n" + strings.Replace(kubetest.WebSlice, "{kubernetes.io/service-name: web}", "{}", 1),
		[]string{
			"given more than once, the last one counts: EndpointSlice shop/web-x (FILE:1 and FILE:22)",
			"EndpointSlices without the label kubernetes.io/service-name, which has to name their Service: EndpointSlice shop/web-x (FILE:22)",
		},
	},
	{
		"slices of a Service that is elsewhere",
		strings.ReplaceAll(kubetest.WebService, "shop", "other") + "---\n" + kubetest.WebSlice,
		[]string{"EndpointSlices without effect, because these files do not have their Service: EndpointSlice shop/web-x (FILE:12)"},
	},
	{
		"versions of the API",
		strings.Replace(kubetest.WebService, "v1", "v1beta1", 1) + "---\n" + strings.Replace(kubetest.WebSlice, "discovery.k8s.io/v1", "v1", 1) + "---\n" +
			"apiVersion: serving.knative.dev/v1\nkind: Service\n---\n" + strings.Replace(kubetest.WebPod, "v1", "v2", 1) + "---\n" +
			"apiVersion: multicluster.x-k8s.io/v1\nkind: ServiceImport\n---\n" + kubetest.WebService,
		[]string{
			"left out, of a kind that DNS does not show: serving.knative.dev/v1 Service (FILE:22)",
			"left out, of a version of the API that is not read: v1beta1 Service: write v1 (FILE:1), v1 EndpointSlice: write discovery.k8s.io/v1 (FILE:12), " +
				"v2 Pod: write v1 (FILE:25), multicluster.x-k8s.io/v1 ServiceImport: write multicluster.x-k8s.io/v1beta1 (FILE:30)",
		},
	},
	{
		"addresses",
		aService("a", "{clusterIP: 10.96.0.500}") + "---\n" +
			aService("b", "{clusterIP: None, externalIPs: [lb.example.com]}\nstatus: {loadBalancer: {ingress: [{ip: 192.0.2.1/32}, {hostname: lb}]}}") + "---\n" +
			strings.Replace(kubetest.WebPod, "10.1.0.1", "10.1.0", 1) + "---\n" + kubetest.WebService + "---\n" + strings.Replace(kubetest.WebSlice, "[10.1.0.1]", "[10.1.0.1, web-0]", 1) + "---\n" +
			strings.Replace(strings.Replace(kubetest.WebSlice, "web-x", "web-y", 1), "IPv4", "FQDN", 1),
		[]string{
			`left out, expected an IP address: Service default/a: clusterIP "10.96.0.500" (FILE:1), Service default/b: externalIP "lb.example.com" (FILE:6), ` +
				`Service default/b: ingress "192.0.2.1/32" (FILE:6), Pod shop/web-0: podIP "10.1.0" (FILE:12), EndpointSlice shop/web-x: address "web-0" (FILE:28), ` +
				`EndpointSlice shop/web-y: addressType FQDN: write a Service of type ExternalName (FILE:38)`,
		},
	},
	{
		"targets",
		alias("a", "192.0.2.7") + "---\n" + alias("b", "db.example.com:5432") + "---\n" + alias("c", "https://db.example.com/x") + "---\n" + alias("d", `""`) + "---\n" +
			alias("e", "'2001:db8::1'") + "---\n" + alias("f", "db..example.com") + "---\n" + alias("g", "'*.example.com'") + "---\n" +
			alias("h", "DB.example.com.") + "---\n" + alias("i", "my_db.example.com"),
		[]string{
			`Services without a target, expected a DNS name as externalName: Service default/a: found the IP address "192.0.2.7": write a headless Service and an EndpointSlice (FILE:1), ` +
				`Service default/b: found "db.example.com:5432": leave out the port (FILE:6), Service default/c: found the URL "https://db.example.com/x": write its host alone (FILE:11), ` +
				`Service default/d: found nothing (FILE:16), Service default/e: found the IP address "2001:db8::1": write a headless Service and an EndpointSlice (FILE:21), ` +
				`Service default/f: found "db..example.com" (FILE:26), Service default/g: found "*.example.com" (FILE:31)`,
		},
	},
	{
		"ports",
		strings.Replace(kubetest.WebService, "port: 80", "port: 70000\n  - {protocol: HTTP, port: 80}\n  - {name: none}", 1) + "---\n" + kubetest.WebSlice + "ports: [{port: 0}, {}]\n",
		[]string{
			`ports left out, expected a number from 1 to 65535, and TCP, UDP or SCTP: Service shop/web: port 70000 (FILE:1), Service shop/web: protocol "HTTP" (FILE:1), ` +
				`Service shop/web: port 0 (FILE:1), EndpointSlice shop/web-x: port 0 (FILE:14)`,
		},
	},
	{
		"types of imports",
		strings.Replace(kubetest.ShopImports, "type: ClusterSetIP", "type: ClusterIP", 1),
		[]string{`taken for the type ClusterSetIP, expected ClusterSetIP or Headless: ServiceImport shop/store: type "ClusterIP" (FILE:2)`},
	},
	{
		"imported slices",
		kubetest.ShopImports + "---\n" + strings.Replace(shopImportedSlice, "service-name: web", "service-name: other", 1),
		[]string{"EndpointSlices without effect, because these files do not have their Service: EndpointSlice shop/web-east (FILE:13)"},
	},
	{
		"names of imports",
		strings.Replace(kubetest.ShopImports, "name: store", "name: store.east", 1),
		[]string{`left out, with a name that is not a DNS label: ServiceImport shop/store.east: "store.east" (FILE:2)`},
	},
	{
		"twice",
		kubetest.WebService + "---\n" + strings.Replace(kubetest.WebService, "10.0.0.1", "10.0.0.2", 1),
		[]string{"given more than once, the last one counts: Service shop/web (FILE:1 and FILE:12)"},
	},
	{
		"names",
		aService("My_Web", "{clusterIP: 10.0.0.1}") + "---\n" + strings.Replace(kubetest.WebService, "name: http", "name: http.alt", 1) + "---\n" +
			strings.Replace(kubetest.WebSlice, "[10.1.0.1]", "[10.1.0.1]\n  hostname: a.b", 1) + "---\n" +
			"apiVersion: v1\nkind: Namespace\nmetadata: {name: a.b}\n---\n" + strings.Replace(kubetest.WebPod, "shop", "a.b", 1),
		[]string{`left out, with a name that is not a DNS label: Service default/My_Web: "My_Web" (FILE:1), Service shop/web: "http.alt" (FILE:6), ` +
			`EndpointSlice shop/web-x: "a.b" (FILE:17), Namespace a.b: "a.b" (FILE:28), Pod a.b/web-0: "a.b" (FILE:32)`},
	},
}

func TestC11Warnings(t *testing.T) {
	for _, tc := range warningTests {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, config{imports: true}, map[string]string{"a.yaml": tc.text})
			got := f.log.All()
			if len(got) != len(tc.want) {
				t.Fatalf("log: %q", got)
			}
			for i, want := range tc.want {
				if want = "WARNING manifests: " + strings.ReplaceAll(want, "FILE", f.path("a.yaml")); got[i] != want {
					t.Errorf("got  %s\nwant %s", got[i], want)
				}
			}
		})
	}
}

func TestLastOneCounts(t *testing.T) {
	f := serve(t, config{}, map[string]string{"b.yaml": strings.Replace(kubetest.WebService, "10.0.0.1", "10.0.0.2", 1), "a.yaml": kubetest.WebService})
	f.expect("Service shop/web[10.0.0.2]")
}

// A warning is repeated only if it is about other objects than before, wherever in the file
// they are.
func TestWarningsAreToldOnce(t *testing.T) {
	deployment := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
	f := serve(t, config{}, map[string]string{"a.yaml": kubetest.WebService + "---\n" + deployment})
	kubetest.Write(t, f.folder, map[string]string{"a.yaml": strings.Replace(kubetest.WebService, "10.0.0.1", "10.0.0.2", 1) + "\n---\n" + deployment})
	f.settle()
	f.expect("Service shop/web[10.0.0.2]")
	if lines := f.log.All(); len(lines) != 1 {
		t.Errorf("log: %q", lines)
	}
	kubetest.Write(t, f.folder, map[string]string{"b.yaml": deployment})
	f.settle()
	if lines := f.log.All(); len(lines) != 2 {
		t.Errorf("log: %q", lines)
	}
}

func TestLongWarnings(t *testing.T) {
	var f warnings
	for i := range 50 {
		f.add(unsupported, fmt.Sprint("kind", i), "a.yaml:1")
	}
	log := new(kubetest.Recorder)
	f.write(log, new(warnings))
	if lines := log.All(); len(lines) != 1 || !strings.HasSuffix(lines[0], "kind19 (a.yaml:1), and 30 more") {
		t.Errorf("log: %q", lines)
	}
}

func TestC11ImportsNotAskedFor(t *testing.T) {
	f := serve(t, config{}, map[string]string{"a.yaml": kubetest.WebService + "---\n" + kubetest.ShopImports})
	lines := f.log.All()
	if len(lines) != 1 || !strings.Contains(lines[0], "left out, ServiceImports are read only with the property multicluster: ServiceImport shop/store") {
		t.Errorf("log: %q", lines)
	}
}

// A text that is not a host name cannot be the target of a CNAME.
func TestC11TargetsThatAreNoNames(t *testing.T) {
	for _, target := range []string{"db.example.com:5432", "https://db.example.com", "db example.com", "db.example.com/x", "'*.example.com'"} {
		f := serve(t, config{}, map[string]string{"a.yaml": alias("db", target)})
		f.expect("Service default/db[]")
	}
}

const shopIngress = "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web, namespace: shop}\n"

// Files of which nothing is shown say what is left out, and what to write.
func TestC11KindsNotAskedFor(t *testing.T) {
	const (
		pods = "left out, Pods are read only with the property pods: Pod shop/web-0 "
		rest = "left out, shown only by the plugin kubernetes without noendpoints, Services also by k8s_gateway with resources Service: "
	)
	namespace := "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\n"
	for _, tc := range []struct {
		name  string
		kinds []string
		text  string
		want  []string // lines, with FILE for the path
	}{
		{"Pods alone", nil, kubetest.WebPod, []string{pods + "(FILE:1)"}},
		{"Pods and their Namespace", nil, namespace + kubetest.WebPod, []string{pods + "(FILE:5)"}},
		{"Pods beside something else", nil, kubetest.WebService + "---\n" + kubetest.WebPod, nil},
		{"Pods that are asked for", []string{"Service", "Namespace", "EndpointSlice", "Pod"}, kubetest.WebPod, nil},
		{"slices with noendpoints", []string{"Service", "Namespace"}, kubetest.WebSlice, []string{rest + "EndpointSlice shop/web-x (FILE:1)"}},
		{
			"Services for Ingresses", []string{"Ingress"}, kubetest.WebService + "---\n" + kubetest.WebPod,
			[]string{pods + "(FILE:12)", rest + "Service shop/web (FILE:1)"},
		},
		{
			"Ingresses beside something else", nil, kubetest.WebService + "---\n" + shopIngress,
			[]string{"left out, shown only by the plugin k8s_gateway: networking.k8s.io/v1 Ingress: write resources Ingress (FILE:12)"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, config{kinds: tc.kinds}, map[string]string{"a.yaml": tc.text})
			var want []string
			for _, line := range tc.want {
				want = append(want, "WARNING manifests: "+strings.ReplaceAll(line, "FILE", f.path("a.yaml")))
			}
			f.log.Expect(t, want...)
		})
	}
}

// A8: nothing but kinds that only k8s_gateway shows is refused like an empty folder, and the
// error says what to write.
func TestA8IngressesNotAskedFor(t *testing.T) {
	for kind, want := range map[string]string{
		"networking.k8s.io/v1 Ingress":               "shown only by the plugin k8s_gateway: networking.k8s.io/v1 Ingress: write resources Ingress (",
		"extensions/v1beta1 Ingress":                 "extensions/v1beta1 Ingress: write resources Ingress (",
		"v1 Node":                                    "v1 Node: write resources Node (",
		"gateway.networking.k8s.io/v1 Gateway":       "gateway.networking.k8s.io/v1 Gateway: write resources HTTPRoute (",
		"gateway.networking.k8s.io/v1beta1 TLSRoute": "gateway.networking.k8s.io/v1beta1 TLSRoute: write resources TLSRoute (",
		"example.org/v1 Node":                        "of a kind that DNS does not show: example.org/v1 Node (",
	} {
		version, name, _ := strings.Cut(kind, " ")
		path := t.TempDir() + "/a.yaml"
		kubetest.Write(t, filepath.Dir(path), map[string]string{"a.yaml": "apiVersion: " + version + "\nkind: " + name + "\nmetadata: {name: web}\n"})
		if err := load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
