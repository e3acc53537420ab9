package clusterdns

import (
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/plugin/internal/completion"
)

func TestParseSearch(t *testing.T) {
	for text, want := range map[string]completion.Mode{
		"off": completion.Off, "names": completion.Names, "pods": completion.Pods, "pods names": completion.Pods, "pods none": completion.PodsAlone,
	} {
		cfg, err := parseText(t, "clusterdns cluster.local {\n search "+text+"\n}")
		if err != nil || cfg.search.mode != want {
			t.Errorf("search %s: mode %v, %v", text, cfg.search.mode, err)
		}
	}
}

func TestParseSearchDetails(t *testing.T) {
	cfg, err := parseText(t, "clusterdns cluster.local {\n search names\n search_labels 3\n search_suffixes Corp.Example lab.example. .\n}")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"\x04corp\x07example\x00", "\x03lab\x07example\x00", "\x00"}
	if !slices.Equal(cfg.search.suffixes, want) || cfg.search.labels != 3 {
		t.Errorf("got %+v", cfg.search)
	}
}

func TestParseSearchErrors(t *testing.T) {
	for line, want := range map[string]string{
		"search":                    "expected search off|names|pods [names|none]",
		"search name":               "expected search off|names|pods [names|none]",
		"search names pods":         "expected search off|names|pods [names|none]",
		"search_labels":             "expected search_labels NUMBER",
		"search_labels 1":           "search_labels must be a number of labels in range [2, 10]: 1",
		"search_labels x":           "search_labels must be a number of labels in range [2, 10]: x",
		"search_suffixes a..b":      "search_suffixes expects domain names: a..b",
		"search_suffixes corp. a..": "search_suffixes expects domain names: a..",
	} {
		_, err := parseText(t, "clusterdns cluster.local {\n "+line+"\n}")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ":2") {
			t.Errorf("%s: %v, want %q and the line", line, err, want)
		}
	}
}

func TestSearchFromEnvironment(t *testing.T) {
	for _, tc := range []struct {
		line, value string
		want        completion.Mode
		refused     bool
	}{
		{"", "", completion.Off, false},
		{"", "names", completion.Names, false},
		{"", " pods  none ", completion.PodsAlone, false},
		{"search off", "names", completion.Off, false},
		{"search names", "nonsense", completion.Names, false},
		{"", "yes", completion.Off, true},
	} {
		cfg, err := parseText(t, "clusterdns cluster.local {\n "+tc.line+"\n}")
		if err != nil {
			t.Fatal(err)
		}
		err = cfg.searchFrom(func(name string) string {
			if name != "CLUSTERDNS_SEARCH" {
				t.Errorf("%s is read", name)
			}
			return tc.value
		})
		if (err != nil) != tc.refused || cfg.search.mode != tc.want {
			t.Errorf("%q with %q: mode %d, %v", tc.line, tc.value, cfg.search.mode, err)
		}
		if tc.refused && (!strings.Contains(err.Error(), "CLUSTERDNS_SEARCH") || !strings.Contains(err.Error(), `"yes"`)) {
			t.Errorf("the error names neither the variable nor the value: %v", err)
		}
	}
}

func TestSearchWarnings(t *testing.T) {
	cfg, err := parseText(t, "clusterdns cluster.local {\n search_suffixes\n search_labels 3\n}")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.checkSearch(); len(cfg.warnings.All()) != 2 {
		t.Errorf("warnings %q", cfg.warnings.All())
	}
}

// A Deployment can set the environment where somebody else writes the Corefile.
func TestSetupReadsTheEnvironment(t *testing.T) {
	const corefile = "clusterdns cluster.local {\n manifests .\n}"
	for value, want := range map[string]bool{"": false, "off": false, "pods": true} {
		t.Setenv(searchVariable, value)
		c := caddy.NewTestController("dns", corefile)
		if err := setup("clusterdns", c); err != nil {
			t.Fatal(err)
		}
		plugins := dnsserver.GetConfig(c).Plugin
		d := plugins[len(plugins)-1](nil).(*ClusterDNS)
		if got := d.completer != nil; got != want {
			t.Errorf("%q: a searcher: %v, want %v", value, got, want)
		}
	}
	t.Setenv(searchVariable, "always")
	if err := setup("clusterdns", caddy.NewTestController("dns", corefile)); err == nil || !strings.Contains(err.Error(), searchVariable) {
		t.Errorf("a wrong value: %v", err)
	}
}
