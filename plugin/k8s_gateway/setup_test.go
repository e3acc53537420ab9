package gateway

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy"

	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

func parseText(text string) (*config, error) {
	c := caddy.NewTestController("dns", text)
	c.ServerBlockKeys = []string{"example.net.:53"}
	return parse(c, "/root")
}

// in returns a directive with lines in its block.
func in(lines ...string) string {
	return "k8s_gateway example.org {\n" + strings.Join(lines, "\n") + "\n}"
}

func TestParse(t *testing.T) {
	all := publish.Ingresses | publish.Services | publish.HTTPRoutes | publish.TLSRoutes | publish.GRPCRoutes | publish.DNSEndpoints
	for _, tc := range []struct {
		text     string
		kinds    publish.Kinds
		about    string // origins, names of servers, TTL, classes and zones that fall through
		warnings int
	}{
		{"k8s_gateway", publish.Ingresses | publish.Services, "example.net. dns1.kube-system  60   ", 0},
		{in(), publish.Ingresses | publish.Services, "example.org. dns1.kube-system  60   ", 0},
		{in("resources Ingress Service HTTPRoute TLSRoute GRPCRoute DNSEndpoint", "ttl 30"), all, "example.org. dns1.kube-system  30   ", 0},
		{in("resources Ingress Pod"), publish.Ingresses, "example.org. dns1.kube-system  60   ", 1},
		{in("apex exdns-1-k8s-gateway.kube-system", "secondary exdns-2-k8s-gateway.kube-system", "ttl 0"), publish.Ingresses | publish.Services,
			"example.org. exdns-1-k8s-gateway.kube-system exdns-2-k8s-gateway.kube-system 0   ", 0},
		{in("apex a b", "secondary c d", "ttl 1 2"), publish.Ingresses | publish.Services, "example.org. a c 1   ", 3},
		{in("ingressClasses nginx traefik", "gatewayClasses istio"), publish.Ingresses | publish.Services, "example.org. dns1.kube-system  60 nginx,traefik istio ", 0},
		{in("fallthrough"), publish.Ingresses | publish.Services, "example.org. dns1.kube-system  60   .", 0},
		{in("fallthrough a.example.org"), publish.Ingresses | publish.Services, "example.org. dns1.kube-system  60   a.example.org.", 0},
	} {
		cfg, err := parseText(tc.text)
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
			continue
		}
		z, p := cfg.view.zones, cfg.source.Published
		var fall []string
		for _, o := range cfg.fall {
			fall = append(fall, o.String())
		}
		about := fmt.Sprint(z.Origins[0].String(), " ", z.NameServer, " ", z.SecondServer, " ", z.TTL, " ", p.IngressClasses, " ", p.GatewayClasses, " ", strings.Join(fall, " "))
		if about != tc.about || p.Kinds != tc.kinds || len(cfg.warnings.All()) != tc.warnings {
			t.Errorf("%s:\n%q %b %q, want\n%q %b and %d warnings", tc.text, about, p.Kinds, cfg.warnings.All(), tc.about, tc.kinds, tc.warnings)
		}
	}
}

func TestParseSource(t *testing.T) {
	cfg, err := parseText(in("kubeconfig /.kube/config other"))
	if err != nil || cfg.source.Kubeconfig != "/.kube/config" || cfg.source.Context != "other" || cfg.ownSource == nil {
		t.Errorf("%+v: %v", cfg, err)
	}
	cfg, err = parseText(in("manifests a /b", "manifests c"))
	if want := kube.ManifestPaths("/root/a", "/b", "/root/c"); err != nil || cfg.source.Manifests != want {
		t.Errorf("%q, want %q: %v", cfg.source.Manifests, want, err)
	}
	if cfg, err = parseText(in()); err != nil || cfg.ownSource != nil || !cfg.source.PublishedOnly {
		t.Errorf("%+v: %v", cfg, err)
	}
}

func TestParseServicesAndNodes(t *testing.T) {
	cfg, err := parseText(in("resources Service Node"))
	if err != nil || cfg.source.Published.ServiceLabels != "" || cfg.source.Published.NodeAddress != "InternalIP" {
		t.Errorf("%+v: %v", cfg, err)
	}
	cfg, err = parseText(in("resources Service Node", "serviceLabelSelectors app=web,tier!=test zone", "serviceLabelSelectors !internal", "nodeAddressType ExternalIP"))
	if err != nil {
		t.Fatal(err)
	}
	p := cfg.source.Published
	if p.ServiceLabels != "app=web,tier!=test\nzone\n!internal" || p.NodeAddress != "ExternalIP" || p.Kinds != publish.Services|publish.Nodes {
		t.Errorf("%+v", p)
	}
}

// The Services that are the zones' name servers are read for their addresses. Names that end up below a zone
// twice cost a warning each.
func TestParseServers(t *testing.T) {
	for _, tc := range []struct {
		text, servers string
		warnings      int
	}{
		{in(), "dns1.kube-system", 0},
		{in("apex Ns1", "secondary ns2.Infra"), "ns2.infra", 0},
		{in("apex ns1.example.org"), "", 1},
		{in("apex ns1.infra.", "secondary ns2.example.org."), "ns1.infra", 2},
		{in("inside", "apex ns1.infra"), "", 0},
		{in("secondary DNS1.kube-system"), "dns1.kube-system", 1},
		{"k8s_gateway . {\napex ns1.infra\n}", "ns1.infra", 0},
	} {
		cfg, err := parseText(tc.text)
		if err != nil || cfg.source.Published.Servers != tc.servers || len(cfg.warnings.All()) != tc.warnings {
			t.Errorf("%s: %q, %v: %v", tc.text, cfg.source.Published.Servers, cfg.warnings.All(), err)
		}
	}
}

// Inside, names that do not exist are the next plugin's.
func TestParseInside(t *testing.T) {
	cfg, err := parseText("k8s_gateway example.org example.net {\ninside\ninsideLabel names.example.com\ninsideService nginx infra/a\ninsideService traefik infra/b\n}")
	if err != nil {
		t.Fatal(err)
	}
	p := cfg.source.Published
	if got, want := fmt.Sprint(p.Inside, " ", p.Zones, " ", p.InsideServices, " ", p.InsideLabel), "true example.net.,example.org. nginx=infra/a,traefik=infra/b names.example.com"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if len(cfg.fall) != 1 || cfg.fall[0].String() != "." || cfg.needsCluster == nil || len(cfg.warnings.All()) > 0 {
		t.Errorf("%+v", cfg)
	}
	cfg, err = parseText(in("insideLabel names.example.com", "insideService nginx infra/a"))
	if err != nil || cfg.source.Published.InsideLabel != "" || cfg.source.Published.InsideServices != "" || len(cfg.warnings.All()) != 1 {
		t.Errorf("%+v: %v", cfg, err)
	}
}

// The zones of the cluster itself are out of reach, in whatever part.
func TestInsideZones(t *testing.T) {
	parsed := func(names ...string) (list []resolve.Origin) {
		for _, name := range names {
			o, err := resolve.ParseOrigin(name)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, o)
		}
		return list
	}
	own := parsed("cluster.local.", "clusterset.local.", "10.in-addr.arpa.")
	for zone, ok := range map[string]bool{
		"example.org.": true, "other.local.": true, "mycluster.local.": true, ".": false, "local.": false, "cluster.local.": false,
		"svc.cluster.local.": false, "x.clusterset.local.": false, "in-addr.arpa.": false,
	} {
		if err := checkInside(parsed("example.net.", zone), own); (err == nil) != ok {
			t.Errorf("%s: %v", zone, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		in("resources"):      "expected resources RESOURCE...",
		in("resources Pod"):  "resources: expected some of DNSEndpoint, GRPCRoute, HTTPRoute,",
		in("ingressClasses"): "expected ingressClasses CLASS...",
		in("gatewayClasses"): "expected gatewayClasses CLASS...",
		in("apex"):           "expected apex NAME",
		in("apex ."):         "names below the zones",
		in("apex a..b"):      "names below the zones",
		in("apex " + strings.Repeat(strings.Repeat("a", 60)+".", 3) + strings.Repeat("b", 50)): "is too long for a name",
		in("secondary"):                        "expected secondary NAME",
		in("secondary a..b"):                   "names below the zones",
		in("ttl"):                              "expected ttl SECONDS",
		in("insideLabel"):                      "expected insideLabel PREFIX",
		in("insideLabel a/b"):                  "expected insideLabel PREFIX",
		in("insideService nginx"):              "expected insideService CLASS NAMESPACE/SERVICE",
		in("insideService nginx a"):            "expected insideService CLASS NAMESPACE/SERVICE",
		in("insideService a=b c/d"):            "expected insideService CLASS NAMESPACE/SERVICE",
		in("ttl -1"):                           "range [0, 3600]",
		in("kubeconfig"):                       "expected kubeconfig FILE [CONTEXT]",
		in("manifests"):                        "expected manifests PATH...",
		in("manifests a", "kubeconfig b"):      "expected it without kubeconfig",
		in("serviceLabelSelectors"):            "expected serviceLabelSelectors SELECTOR...",
		in(`serviceLabelSelectors ""`):         "expected serviceLabelSelectors SELECTOR...",
		in("serviceLabelSelectors a=b=c"):      "expected label selectors as kubectl takes them",
		in("nodeAddressType"):                  "expected nodeAddressType InternalIP|ExternalIP",
		in("nodeAddressType Hostname"):         "expected nodeAddressType InternalIP|ExternalIP",
		in("upstream"):                         "unknown property 'upstream'",
		"k8s_gateway a.org\nk8s_gateway b.org": "only once",
	} {
		if _, err := parseText(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// tableRow matches a row of the page's table of properties.
var tableRow = regexp.MustCompile("(?m)^\\| `([a-zA-Z]+)[^|]*\\| .* \\|$")

func TestREADMEListsTheProperties(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, syntax, _ := strings.Cut(string(text), "## Syntax")
	var listed []string
	for _, row := range tableRow.FindAllStringSubmatch(syntax, -1) {
		listed = append(listed, row[1])
	}
	slices.Sort(listed)
	if known := slices.Sorted(maps.Keys(properties)); !slices.Equal(listed, known) {
		t.Errorf("README.md lists %q\nthe plugin takes %q", listed, known)
	}
}
