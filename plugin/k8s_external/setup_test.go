package external

import (
	"strings"
	"testing"

	"github.com/coredns/caddy"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

func parseText(text string) (*config, error) {
	c := caddy.NewTestController("dns", text)
	c.ServerBlockKeys = []string{"example.net.:53", "10.in-addr.arpa.:53"}
	return parse(c)
}

// origins returns the zones of a configuration, with blanks between them.
func (cfg *config) origins() string {
	var list []string
	for _, o := range cfg.view.zones.Origins {
		list = append(list, o.String())
	}
	return strings.Join(list, " ")
}

func TestParse(t *testing.T) {
	for _, tc := range []struct {
		text     string
		origins  string
		apex     string
		ttl      uint32
		headless bool
		through  string
		warnings int
	}{
		{"k8s_external", "example.net. 10.in-addr.arpa.", "dns.", 5, false, "", 0},
		{"k8s_external Example.org", "example.org.", "dns.", 5, false, "", 0},
		{"k8s_external example.org 192.0.2.0/23", "example.org. 2.0.192.in-addr.arpa. 3.0.192.in-addr.arpa.", "dns.", 5, false, "", 0},
		{"k8s_external example.org {\n apex testdns\n}", "example.org.", "testdns.", 5, false, "", 0},
		{"k8s_external example.org {\n apex a.b\n}", "example.org.", "a.b.", 5, false, "", 0},
		{"k8s_external example.org {\n ttl 0\n}", "example.org.", "dns.", 0, false, "", 0},
		{"k8s_external example.org {\n ttl 3600\n}", "example.org.", "dns.", 3600, false, "", 0},
		{"k8s_external example.org {\n headless\n}", "example.org.", "dns.", 5, true, "", 0},
		{"k8s_external example.org {\n fallthrough\n}", "example.org.", "dns.", 5, false, ".", 0},
		{"k8s_external example.org {\n fallthrough ip6.arpa foo.com\n}", "example.org.", "dns.", 5, false, "ip6.arpa. foo.com.", 0},
		// Arguments that stock accepts but ignores.
		{"k8s_external example.org {\n headless yes\n ttl 1 2\n apex a b\n}", "example.org.", "a.", 1, true, "", 3},
		{"k8s_external a.b:x: example.org", "example.org.", "dns.", 5, false, "", 1},
		{"k8s_external 10.in-addr.arpa", "10.in-addr.arpa.", "dns.", 5, false, "", 1},
		{"k8s_external example.org {\n headless\n headless\n ttl 1\n ttl 2\n fallthrough ..\n}", "example.org.", "dns.", 2, true, "", 2},
		{"k8s_external example.com {\n ttl 9\n}\nk8s_external example.org {\n headless\n}", "example.org.", "dns.", 9, true, "", 1},
	} {
		cfg, err := parseText(tc.text)
		if err != nil {
			t.Errorf("%s: %v", tc.text, err)
			continue
		}
		v := cfg.view
		if cfg.origins() != tc.origins || v.apex.String() != tc.apex || v.zones.TTL != tc.ttl || v.headless != tc.headless {
			t.Errorf("%s: got zones %s, apex %s, ttl %d, headless %v", tc.text, cfg.origins(), v.apex.String(), v.zones.TTL, v.headless)
		}
		var zones []string
		for _, o := range cfg.fall {
			zones = append(zones, o.String())
		}
		if got := strings.Join(zones, " "); got != tc.through {
			t.Errorf("%s: falls through in %q, want %q", tc.text, got, tc.through)
		}
		if len(cfg.warnings.All()) != tc.warnings {
			t.Errorf("%s: warnings %q, want %d", tc.text, cfg.warnings.All(), tc.warnings)
		}
	}
}

// An error has the file, the line and what was expected.
func TestParseErrors(t *testing.T) {
	for line, want := range map[string]string{
		"ttl":          "expected ttl SECONDS",
		"ttl five":     "in range [0, 3600]: five",
		"ttl -1":       "in range [0, 3600]: -1",
		"ttl 3601":     "in range [0, 3600]: 3601",
		"apex":         "expected apex LABEL",
		`apex ""`:      "must be a DNS label",
		"apex .":       "must be a DNS label",
		"apex a..b":    "must be a DNS label: a..b",
		"transfer to":  "unknown property 'transfer': expected one of apex, fallthrough, headless, ttl",
		"{":            "unknown property '{'",
		"Headless all": "unknown property 'Headless'",
	} {
		_, err := parseText("k8s_external example.org {\n " + line + "\n}")
		if err == nil || !strings.Contains(err.Error(), "Testfile:2 - ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}

func TestParseNotesWhereItStands(t *testing.T) {
	cfg, err := parseText("\n\nk8s_external example.org {\n ttl 1\n}")
	if err != nil || !strings.Contains(cfg.alone.Error(), "Testfile:3 - ") {
		t.Errorf("%v, %v", err, cfg.alone)
	}
}

func zonesOf(t *testing.T, text string) (zones []resolve.Origin) {
	t.Helper()
	for _, field := range strings.Fields(text) {
		o, err := resolve.ParseOrigin(field)
		if err != nil {
			t.Fatal(err)
		}
		zones = append(zones, o)
	}
	return zones
}

// A zone of the cluster in a zone for the world outside is a mistake of the Corefile.
func TestShadowedZones(t *testing.T) {
	for _, tc := range []struct{ outside, inside, fall, want string }{
		{"example.org", "cluster.local", "", ""},
		{"cluster.local", "cluster.local", "", "zone cluster.local. has the cluster's zone cluster.local. in it"},
		{"example.org local", "cluster.local", "", "zone local. has"},
		{".", "cluster.local", "", "the root zone has"},
		{".", "cluster.local", ".", ""},
		{"local", "cluster.local", "cluster.local", ""},
		{"local", "cluster.local", "svc.cluster.local example.org", "zone local. has"},
		{"ext.cluster.local", "cluster.local", "", ""},
		{"example.org 10.in-addr.arpa", "cluster.local 96.10.in-addr.arpa", "", "cluster's zone 96.10.in-addr.arpa. in it"},
		{"in-addr.arpa", "cluster.local 0.10.in-addr.arpa 1.10.in-addr.arpa 2.10.in-addr.arpa", "", "zone in-addr.arpa. has the cluster's zone 0.10.in-addr.arpa. and 2 others in it"},
	} {
		got := shadowed(zonesOf(t, tc.outside), zonesOf(t, tc.inside), dnsname.ParseZones(strings.Fields(tc.fall)))
		if text := strings.Join(got, "\n"); len(got) > 1 || (text == "") != (tc.want == "") || !strings.Contains(text, tc.want) {
			t.Errorf("%v: %q", tc, got)
		}
	}
}
