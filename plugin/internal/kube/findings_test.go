package kube

import (
	"fmt"
	"strings"
	"testing"
)

// aService is a Service of the Namespace default.
func aService(name, spec string) string {
	return "apiVersion: v1\nkind: Service\nmetadata: {name: " + name + "}\nspec: " + spec + "\n"
}

var findingTests = []struct {
	name string
	text string
	want []string // lines, with FILE for the path
}{
	{"nothing to say", webService + "---\n" + webSlice, nil},
	{
		"kinds",
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n---\n" + webService + "---\napiVersion: v1\nkind: Endpoints\nmetadata: {name: web}\n",
		[]string{"left out, of a kind that DNS does not show: apps/v1 Deployment (FILE:1), v1 Endpoints (FILE:16)"},
	},
	{
		"an EndpointSlice of another version",
		strings.Replace(webSlice, "/v1", "/v1beta1", 1),
		[]string{"left out, of a kind that DNS does not show: discovery.k8s.io/v1beta1 EndpointSlice (FILE:1)"},
	},
	{
		"no clusterIP",
		aService("a", "{}") + "---\n" + aService("b", "{clusterIP: None}") + "---\n" + aService("c", "{type: ExternalName, externalName: example.com}") + "---\n" + aService("d", "{clusterIP: nonsense}"),
		[]string{"Services without a clusterIP, which have no address: Service default/a (FILE:1), Service default/d (FILE:16)"},
	},
	{
		"slices of no Service",
		webSlice + "---\n" + strings.ReplaceAll(webService, "shop", "other") + "---\n" + strings.Replace(webSlice, "{kubernetes.io/service-name: web}", "{}", 1),
		[]string{
			"given more than once, the last one counts: EndpointSlice shop/web-x (FILE:1 and FILE:22)",
			"EndpointSlices of no Service in these files, which mean nothing: EndpointSlice shop/web-x (FILE:22)",
		},
	},
	{
		"imported slices",
		shopImports + "---\n" + strings.Replace(shopImportedSlice, "service-name: web", "service-name: other", 1),
		[]string{"EndpointSlices of no Service in these files, which mean nothing: EndpointSlice shop/web-east (FILE:13)"},
	},
	{
		"names of imports",
		strings.Replace(shopImports, "name: store", "name: store.east", 1),
		[]string{`left out, with a name that is not a DNS label: ServiceImport shop/store.east: "store.east" (FILE:2)`},
	},
	{
		"twice",
		webService + "---\n" + strings.Replace(webService, "10.0.0.1", "10.0.0.2", 1),
		[]string{"given more than once, the last one counts: Service shop/web (FILE:1 and FILE:12)"},
	},
	{
		"names",
		aService("My_Web", "{clusterIP: 10.0.0.1}") + "---\n" + strings.Replace(webService, "name: http", "name: http.alt", 1) + "---\n" +
			strings.Replace(webSlice, "[10.1.0.1]", "[10.1.0.1]\n  hostname: a.b", 1) + "---\n" +
			"apiVersion: v1\nkind: Namespace\nmetadata: {name: a.b}\n---\n" + strings.Replace(webPod, "shop", "a.b", 1),
		[]string{`left out, with a name that is not a DNS label: Service default/My_Web: "My_Web" (FILE:1), Service shop/web: "http.alt" (FILE:6), ` +
			`EndpointSlice shop/web-x: "a.b" (FILE:17), Namespace a.b: "a.b" (FILE:28), Pod a.b/web-0: "a.b" (FILE:32)`},
	},
}

func TestFindings(t *testing.T) {
	for _, tc := range findingTests {
		t.Run(tc.name, func(t *testing.T) {
			f := serve(t, Config{}, map[string]string{"a.yaml": tc.text})
			got := f.log.all()
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
	f := serve(t, Config{}, map[string]string{"b.yaml": strings.Replace(webService, "10.0.0.1", "10.0.0.2", 1), "a.yaml": webService})
	f.expect(web, typeA, "10.0.0.2")
}

// A warning comes again only if it is about other objects than before, wherever
// in the file they are.
func TestFindingsAreToldOnce(t *testing.T) {
	deployment := "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
	f := serve(t, Config{}, map[string]string{"a.yaml": webService + "---\n" + deployment})
	write(t, f.folder, map[string]string{"a.yaml": strings.Replace(webService, "10.0.0.1", "10.0.0.2", 1) + "\n---\n" + deployment})
	f.settle()
	f.expect(web, typeA, "10.0.0.2")
	if lines := f.log.all(); len(lines) != 1 {
		t.Errorf("log: %q", lines)
	}
	write(t, f.folder, map[string]string{"b.yaml": deployment})
	f.settle()
	if lines := f.log.all(); len(lines) != 2 {
		t.Errorf("log: %q", lines)
	}
}

func TestLongFindings(t *testing.T) {
	var f findings
	for i := range 50 {
		f.add(unsupported, fmt.Sprint("kind", i), "a.yaml:1")
	}
	log := new(recorder)
	f.warn(log, new(findings))
	if lines := log.all(); len(lines) != 1 || !strings.HasSuffix(lines[0], "kind19 (a.yaml:1), and 30 more") {
		t.Errorf("log: %q", lines)
	}
}
