package corefile

import (
	"testing"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
)

// blockOf returns a server block with these zones, at a port.
func blockOf(port string, zones ...string) Block {
	var b Block
	for _, zone := range zones {
		b.Configs = append(b.Configs, &dnsserver.Config{Zone: zone, Transport: "dns", Port: port, ListenHosts: []string{"127.0.0.1"}})
	}
	return b
}

// TestRouting: the block with the longest zone answers for a name.
func TestRouting(t *testing.T) {
	blocks := []Block{blockOf("53", "cluster.local.", "in-addr.arpa."), blockOf("53", "."), blockOf("53", "stub.cluster.local.", "no..name.")}
	r := RoutingOf(blocks[0].Configs[0], blocks)
	for text, want := range map[string]bool{
		"cluster.local.":              false,
		"web.shop.svc.cluster.local.": false,
		"www.stub.cluster.local.":     true,
		"stub.cluster.local.":         true,
		"xstub.cluster.local.":        false,
		"www.example.":                true,
		".":                           true,
	} {
		n, err := dnsname.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Elsewhere(&n); got != want {
			t.Errorf("%s: elsewhere is %v, want %v", text, got, want)
		}
	}
}

// TestA3FilteredBeside: a view counts for all blocks that may share its listener.
func TestA3FilteredBeside(t *testing.T) {
	ours := blockOf("53", "cluster.local.")
	view := blockOf("53", "cluster.local.")
	unnamed, elsewhere, secure := blockOf("53", "example."), blockOf("54", "cluster.local."), blockOf("53", "cluster.local.")
	view.Configs[0].ViewName = "v"
	unnamed.Configs[0].FilterFuncs = []dnsserver.FilterFunc{nil}
	elsewhere.Configs[0].ViewName = "v"
	secure.Configs[0].ViewName, secure.Configs[0].Transport = "v", "tls"
	for title, tc := range map[string]struct {
		blocks []Block
		want   bool
	}{
		"alone":            {[]Block{ours}, false},
		"beside a view":    {[]Block{view, ours}, true},
		"without a name":   {[]Block{ours, unnamed}, true},
		"at another port":  {[]Block{ours, elsewhere}, false},
		"over a transport": {[]Block{ours, secure}, false},
	} {
		if got := FilteredBeside(ours.Configs[0], tc.blocks); got != tc.want {
			t.Errorf("%s: %v, want %v", title, got, tc.want)
		}
	}
	if !FilteredBeside(view.Configs[0], []Block{view}) {
		t.Error("the block with the view is not chosen by more than the name")
	}
}
