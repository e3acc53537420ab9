package corefile

import (
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
)

// named is a handler with nothing but a name.
type named struct {
	plugin.Handler
	name string
}

func (h named) Name() string { return h.name }

func handlers(names ...string) []plugin.Handler {
	var all []plugin.Handler
	for _, name := range names {
		all = append(all, named{name: name})
	}
	return all
}

// TestClearOfNames covers plugins that leave names alone, and some that do not.
func TestClearOfNames(t *testing.T) {
	for _, names := range []string{"", "cancel", "transfer", "metadata geoip cancel nsid bufsize trace shed prometheus errors log dnstap any chaos " +
		"loadbalance cache header minimal transfer"} {
		if !ClearOfNames(handlers(strings.Fields(names)...)) {
			t.Errorf("%q has a say in names", names)
		}
	}
	for _, name := range []string{"local", "dns64", "siit", "tsig", "rewrite", "acl", "autopath", "template", "hosts", "k8s_external", "k8s_gateway", "unheardof"} {
		if ClearOfNames(handlers("cache", name)) {
			t.Errorf("%s has no say in names", name)
		}
	}
}

// TestOneTable checks what the three readers of the table rely on.
func TestOneTable(t *testing.T) {
	ours := slices.Index(dnsserver.Directives, "kubernetes")
	for name, r := range rules {
		at := slices.Index(dnsserver.Directives, name)
		if name == "k8s_gateway" { // of our own, and not in CoreDNS's list
			at = ours - 1
		}
		if at < 0 || at >= ours {
			t.Errorf("%s never stands ahead of ours", name)
		}
		if r.pass == "" && !r.clear {
			t.Errorf("%s is in the table, and nothing is known of it", name)
		}
		if r.apply != nil && r.pass == "" {
			t.Errorf("%s has conditions, and no answer passes it by", name)
		}
	}
}

// TestConditions covers the plugins whose handler alone decides.
func TestConditions(t *testing.T) {
	b := &Block{}
	c, err := b.Conditions(handlers("errors", "cache"), nil)
	if err != nil || !c.Cache {
		t.Errorf("cache: %v, %+v", err, c)
	}
	if _, err := b.Conditions(handlers("errors", "dnstap"), nil); err == nil || !strings.Contains(err.Error(), "the plugin dnstap stands ahead") {
		t.Errorf("dnstap: %v", err)
	}
	if asksCache(handlers("log", "cache")) {
		t.Error("the cache is asked behind log, which may wait")
	}
}

// TestCacheServesOthers covers plugins between the cache and ours, ahead of the cache, and
// without one.
func TestCacheServesOthers(t *testing.T) {
	for names, want := range map[string]bool{
		"":                              false,
		"template":                      false,
		"template cache":                false,
		"cache header minimal hosts":    false,
		"cache transfer k8s_external":   false,
		"cache transfer k8s_gateway":    false,
		"cache template":                true,
		"cache route53 hosts":           true,
		"rewrite cache hosts unheardof": true,
	} {
		if got := CacheServesOthers(handlers(strings.Fields(names)...)); got != want {
			t.Errorf("%q: %v", names, got)
		}
	}
}
