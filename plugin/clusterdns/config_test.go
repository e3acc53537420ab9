package clusterdns

import (
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/watch"
)

func parseText(t *testing.T, text string) (*config, error) {
	t.Helper()
	c := caddy.NewTestController("dns", text)
	c.ServerBlockKeys = []string{"example.local."}
	return parse(c, "/root/of")
}

// inFallthrough reports whether a name that does not exist falls through.
func inFallthrough(t *testing.T, cfg *config, text string) bool {
	t.Helper()
	n, err := dnsname.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return cfg.fall.Enclose(&n)
}

func TestParse(t *testing.T) {
	cfg, err := parseText(t, `kubernetes cluster.local 10.0.0.0/8 {
		endpoint https://192.0.2.1
		tls cert key ca
		namespaces One two
		namespaces three
		pods verified
		endpoint_pod_names
		ttl 30
		zonal
		ignore empty_service
		fallthrough in-addr.arpa
		startup_timeout 0s
		apiserver_qps 2.5
		apiserver_burst 7
		apiserver_max_inflight 3
	}`)
	if err != nil {
		t.Fatal(err)
	}
	want := kube.Config{
		Endpoint: "https://192.0.2.1", CertFile: "cert", KeyFile: "key", CAFile: "ca",
		QPS: 2.5, Burst: 7, MaxInflight: 3, Pods: true, PodNames: true, TopologyZones: true,
	}
	if cfg.source != want {
		t.Errorf("source is %+v, want %+v", cfg.source, want)
	}
	v := cfg.view
	if v.TTL != 30 || v.Pods != resolve.PodsVerified || !v.PodNames || !v.Zonal || !v.IgnoreEmpty || len(v.Namespaces) != 3 {
		t.Errorf("view is %+v", v)
	}
	if _, ok := v.Namespaces["one"]; !ok {
		t.Error("namespace One is not shown as one")
	}
	if cfg.startupTimeout != 0 || !inFallthrough(t, cfg, "1.in-addr.arpa.") || inFallthrough(t, cfg, "x.cluster.local.") {
		t.Errorf("startup_timeout %v, fallthrough %v", cfg.startupTimeout, cfg.fall)
	}
}

func TestParseOrigins(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"kubernetes", "example.local."},
		{"kubernetes Cluster.Local", "cluster.local."},
		{"kubernetes cluster.local 10.0.0.0/8", "cluster.local. 10.in-addr.arpa."},
		{"kubernetes cluster.local 10.96.0.0/15", "cluster.local. 96.10.in-addr.arpa. 97.10.in-addr.arpa."},
		{"kubernetes 1234:abcd::/32 cluster.local", "d.c.b.a.4.3.2.1.ip6.arpa. cluster.local."},
	} {
		cfg, err := parseText(t, tc.text)
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
			continue
		}
		var got []string
		for _, o := range cfg.view.Origins {
			got = append(got, o.String())
		}
		if s := strings.Join(got, " "); s != tc.want {
			t.Errorf("%s: origins are %s, want %s", tc.text, s, tc.want)
		}
	}
}

func TestParseDefaults(t *testing.T) {
	cfg, err := parseText(t, "clusterdns")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.view.TTL != 5 || cfg.startupTimeout != 5*time.Second || cfg.view.Namespaces != nil || inFallthrough(t, cfg, ".") {
		t.Errorf("defaults are %+v", cfg)
	}
	if cfg.source != (kube.Config{}) {
		t.Errorf("source is %+v, want the cluster that we run in", cfg.source)
	}
}

func TestParseManifests(t *testing.T) {
	cfg, err := parseText(t, "clusterdns {\n manifests a /b/c\n manifests d\n}")
	if err != nil {
		t.Fatal(err)
	}
	if want := kube.ManifestPaths("/root/of/a", "/b/c", "/root/of/d"); cfg.source.Manifests != want {
		t.Errorf("manifests are %q, want %q", cfg.source.Manifests, want)
	}
}

// A Corefile that stock CoreDNS accepts is accepted here too, but with a warning.
func TestParseWarnings(t *testing.T) {
	for _, text := range []string{
		"kubernetes {\n endpoint https://a https://b\n}",
		"kubernetes {\n ttl 5 6\n}",
		"kubernetes {\n tls cert key ca\n}",
		"kubernetes cluster.local a..b",
		"kubernetes {\n ignore\n}",
		"kubernetes {\n namespaces \"\" shop\n}",
		"kubernetes {\n namespaces Shop_!\n}",
		"kubernetes {\n namespaces shop.prod\n}",
		"kubernetes {\n namespaces " + strings.Repeat("a", 64) + "\n}",
		"kubernetes {\n multicluster\n}",
		"kubernetes cluster.local {\n multicluster .. cluster.local\n}",
		"kubernetes {\n manifests a\n apiserver_qps 5\n apiserver_burst 5\n}",
		"kubernetes {\n endpoint ftp://a\n endpoint https://b\n}",
		"kubernetes {\n ignore empty_service also\n}",
		"kubernetes {\n startup_timeout 5s 6s\n}",
		"kubernetes {\n fallthrough ..\n}",
		"kubernetes {\n fallthrough bar..baz foo.com\n}",
		"kubernetes {\n fallthrough \"\"\n}",
		"kubernetes {\n fallthrough 10.0.0.0/33\n}",
		"kubernetes {\n fallthrough a.example\n fallthrough b.example\n}",
		"kubernetes {\n ttl 5\n ttl 6\n}",
		"kubernetes {\n pods verified\n pods insecure\n}",
		"kubernetes {\n labels a=b\n labels c=d\n}",
		"kubernetes {\n kubeconfig a b\n kubeconfig c\n}",
		"kubernetes {\n endpoint ftp://a\n kubeconfig b\n}",
		"kubernetes {\n endpoint https://a\n tls b c d\n kubeconfig e\n}",
	} {
		cfg, err := parseText(t, text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if len(cfg.warnings.All()) != 1 {
			t.Errorf("%s: warnings are %q, want one", text, cfg.warnings.All())
		}
	}
}

// A property whose second line adds to the first, or changes nothing, may be given again.
func TestParseRepeated(t *testing.T) {
	cfg, err := parseText(t, "kubernetes {\n zonal\n zonal\n namespaces a\n namespaces b\n manifests a\n manifests b\n ignore empty_service\n ignore empty_service\n}")
	if err != nil || len(cfg.warnings.All()) != 0 {
		t.Fatalf("%v, %q", err, cfg.warnings.All())
	}
	cfg, err = parseText(t, "kubernetes {\n kubeconfig a b\n ttl 5\n\n kubeconfig c\n}")
	if err != nil || cfg.source.Kubeconfig != "c" || cfg.source.Context != "" {
		t.Fatalf("%v, %+v", err, cfg.source)
	}
	if got := cfg.warnings.All(); len(got) != 1 || got[0] != "Testfile:5: kubeconfig is given again: the one at Testfile:2 has no effect" {
		t.Errorf("warnings are %q", got)
	}
}

// What client-go takes for a URL or a host goes on being taken.
func TestParseEndpoints(t *testing.T) {
	for _, text := range []string{"localhost:8080", "192.0.2.1:6443", "[2001:db8::1]:6443", "api.example", "HTTPS://api.example/prefix", "http://a"} {
		if cfg, err := parseText(t, "kubernetes {\n endpoint "+text+"\n}"); err != nil || len(cfg.warnings.All()) != 0 {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// An error of a start names the line that says where data comes from.
func TestParsePlace(t *testing.T) {
	for text, want := range map[string]string{
		"ttl 5":                               "Testfile:1",
		"ttl 5\n manifests a":                 "Testfile:3",
		"manifests a\n manifests b":           "Testfile:1",
		"endpoint https://a\n ttl 5":          "Testfile:2",
		"endpoint https://a\n tls a b c":      "Testfile:3",
		"tls a b c\n ttl 5":                   "Testfile:1",
		"kubeconfig a\n endpoint https://a":   "Testfile:2",
		"endpoint https://a\n kubeconfig a b": "Testfile:3",
	} {
		if cfg, err := parseText(t, "clusterdns {\n "+text+"\n}"); err != nil || cfg.sourcePlace() != want {
			t.Errorf("%s: %v, the place is %q, want %s", text, err, cfg.sourcePlace(), want)
		}
	}
}

func TestParseSelectors(t *testing.T) {
	cfg, err := parseText(t, "kubernetes {\n labels app in (a, b), !c\n namespace_labels team = x\n}")
	if err != nil {
		t.Fatal(err)
	}
	if s := cfg.source; s.Labels != "app in (a, b), !c" || s.NamespaceLabels != "team = x" {
		t.Errorf("selectors are %q and %q", s.Labels, s.NamespaceLabels)
	}
}

func TestParseMultiCluster(t *testing.T) {
	cfg, err := parseText(t, "kubernetes cluster.local clusterset.local {\n multicluster ClusterSet.local\n}")
	if err != nil {
		t.Fatal(err)
	}
	if o := cfg.view.Origins; !cfg.source.MultiCluster || o[0].ClusterSet || !o[1].ClusterSet {
		t.Errorf("MultiCluster is %v, origins are %+v", cfg.source.MultiCluster, o)
	}
}

// D12: without endpoints every Service would look empty, so none is.
func TestD12IgnoreWithoutEndpoints(t *testing.T) {
	cfg, err := parseText(t, "kubernetes {\n ignore empty_service\n noendpoints\n}")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.view.IgnoreEmpty || len(cfg.warnings.All()) != 1 {
		t.Errorf("empty Services are ignored: %v, warnings are %q", cfg.view.IgnoreEmpty, cfg.warnings.All())
	}
}

func TestParseState(t *testing.T) {
	for text, want := range map[string]watch.State{
		"ttl 5":               {},
		"state a/../b":        {Path: "/root/of/b", MaxAge: 24 * time.Hour},
		"state /a 90m":        {Path: "/a", MaxAge: 90 * time.Minute},
		"state /a\n state /b": {Path: "/b", MaxAge: 24 * time.Hour},
	} {
		cfg, err := parseText(t, "kubernetes {\n "+text+"\n}")
		if err != nil || cfg.state != want {
			t.Errorf("%s: %+v, %v", text, cfg.state, err)
		}
	}
}

func TestParseHeadlessOnly(t *testing.T) {
	for _, tc := range []struct {
		lines    string
		headless bool
		warnings int
	}{
		{"ttl 5", false, 0},
		{"endpoints all", false, 0},
		{"endpoints all\n ignore empty_service", false, 0},
		{"endpoints headless", true, 0},
		{"endpoints headless\n zonal\n endpoint_pod_names\n pods verified\n search pods", true, 0},
		{"endpoints headless\n endpoints all", false, 1},
		{"endpoints headless\n noendpoints", false, 1},
		{"endpoints headless\n noendpoints\n ignore empty_service", false, 2},
	} {
		cfg, err := parseText(t, "kubernetes {\n "+tc.lines+"\n}")
		if err != nil {
			t.Fatal(err)
		}
		if got := cfg.warnings.All(); cfg.source.HeadlessOnly != tc.headless || len(got) != tc.warnings {
			t.Errorf("%q: headless only is %v, warnings are %q", tc.lines, cfg.source.HeadlessOnly, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct{ property, want string }{
		{"nosuch", "unknown property 'nosuch'"},
		{"endpoint", "expected endpoint URL"},
		{"tls cert key", "expected tls CERT KEY CACERT"},
		{"kubeconfig", "expected kubeconfig FILE [CONTEXT]"},
		{"kubeconfig a b c", "expected kubeconfig FILE [CONTEXT]"},
		{"manifests", "expected manifests PATH..."},
		{"namespaces", "expected namespaces NAMESPACE..."},
		{"pods", "expected pods disabled|insecure|verified"},
		{"pods some", "must be one of: disabled, verified, insecure"},
		{"endpoint_pod_names yes", "expected endpoint_pod_names without arguments"},
		{"noendpoints yes", "expected noendpoints without arguments"},
		{"ttl", "expected ttl SECONDS"},
		{"ttl five", "range [0, 3600]: five"},
		{"ttl -1", "range [0, 3600]: -1"},
		{"ttl 3601", "range [0, 3600]: 3601"},
		{"startup_timeout", "expected startup_timeout DURATION"},
		{"startup_timeout 5", "must be a duration such as 5s"},
		{"apiserver_qps", "expected apiserver_qps QPS"},
		{"apiserver_qps NaN", "must be a number >= 0"},
		{"apiserver_qps -1", "must be a number >= 0"},
		{"apiserver_burst x", "must be a whole number >= 0"},
		{"apiserver_max_inflight -1", "must be a whole number >= 0"},
		{"labels", "expected labels SELECTOR"},
		{"labels a=b=c", "labels: "},
		{"namespace_labels", "expected namespace_labels SELECTOR"},
		{"namespace_labels a in b", "namespace_labels: "},
		{"namespaces a\n namespace_labels a=b", "cannot both be set"},
		{"multicluster clusterset.local", "multicluster zone clusterset.local. is not among the zones"},
		{"ignore all", "wrong value for ignore: all, must be empty_service"},
		{"zonal yes", "expected zonal without arguments"},
		{"noendpoints\n zonal", "expected zonal without noendpoints"},
		{"state", "expected state FILE [MAX_AGE]"},
		{"state a 1h b", "expected state FILE [MAX_AGE]"},
		{`state ""`, "state: expected a path"},
		{"state a day", "such as 24h, at least 1s: day"},
		{"state a NaN", "such as 24h, at least 1s: NaN"},
		{"state a 24", "such as 24h, at least 1s: 24"},
		{"state a 0", "such as 24h, at least 1s: 0"},
		{"state a 0s", "such as 24h, at least 1s: 0s"},
		{"state a -1h", "such as 24h, at least 1s: -1h"},
		{"state a\n manifests b", "expected one of them"},
		{"endpoints", "expected endpoints all|headless"},
		{"endpoints some", "expected endpoints all|headless"},
		{"endpoints headless all", "expected endpoints all|headless"},
		{"endpoints headless\n ignore empty_service", "expected it without ignore empty_service"},
		{"endpoint ftp://user:secret@a", "expected a URL with http or https, found ftp"},
		{`manifests a ""`, "manifests: expected a path"},
		{"manifests a\n endpoint https://b", "without endpoint and kubeconfig"},
	} {
		_, err := parseText(t, "kubernetes cluster.local {\n "+tc.property+"\n}")
		if err == nil {
			t.Errorf("%s: no error", tc.property)
			continue
		}
		if text := err.Error(); !strings.Contains(text, tc.want) || !strings.Contains(text, "Testfile:") {
			t.Errorf("%s: error is %q, want the line and %q", tc.property, text, tc.want)
		}
	}
}

func TestParseDirectiveErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"kubernetes 10.0.0.0/8", "not a reverse zone"},
		{"kubernetes cluster.local\nkubernetes cluster.local", "only once"},
		{"kubernetes " + strings.Repeat("a", 64) + ".local", "found none"},
	} {
		_, err := parseText(t, tc.text)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%.40s: error is %v, want %q", tc.text, err, tc.want)
		}
	}
}

// D13: startup_timeout must not be negative.
func TestD13StartupTimeoutNegative(t *testing.T) {
	if _, err := parseText(t, "kubernetes {\n startup_timeout -1s\n}"); err == nil {
		t.Error("a negative startup_timeout is taken")
	}
}
