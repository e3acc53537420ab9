package deploy

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/coredns/caddy/caddyfile"
)

const demoCorefile = "../Corefile"

// readCorefile returns the arguments of each plugin in the demo's only server block.
func readCorefile(t *testing.T) (keys []string, plugins map[string][]string) {
	t.Helper()
	file, err := os.Open(demoCorefile)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	blocks, err := caddyfile.Parse(demoCorefile, file, nil)
	if err != nil || len(blocks) != 1 {
		t.Fatalf("%d server blocks, want one: %v", len(blocks), err)
	}
	plugins = map[string][]string{}
	for name, tokens := range blocks[0].Tokens {
		for _, token := range tokens {
			plugins[name] = append(plugins[name], token.Text)
		}
	}
	return blocks[0].Keys, plugins
}

// TestDemoListensOnLoopback: a demo must not open a port to the network.
func TestDemoListensOnLoopback(t *testing.T) {
	keys, plugins := readCorefile(t)
	if !slices.Equal(keys, []string{".:1053"}) {
		t.Errorf("server block %v, want .:1053", keys)
	}
	if bind := plugins["bind"]; len(bind) != 2 || !netip.MustParseAddr(bind[1]).IsLoopback() {
		t.Errorf("%v: want one loopback address", bind)
	}
	for _, name := range []string{"health", "ready", "prometheus"} {
		if words := plugins[name]; len(words) != 2 || !netip.MustParseAddrPort(words[1]).Addr().IsLoopback() {
			t.Errorf("%v: want a loopback address and a port", words)
		}
	}
}

func TestDemoCorefileReadsTheDemo(t *testing.T) {
	_, plugins := readCorefile(t)
	words := plugins["clusterdns"]
	i := slices.Index(words, "manifests")
	if i < 0 {
		t.Fatalf("no manifests in %v", words)
	}
	if got := filepath.Join(filepath.Dir(demoCorefile), words[i+1]); got != filepath.Join("..", "deploy", demoDir) {
		t.Errorf("manifests %s: want deploy/%s", words[i+1], demoDir)
	}
}
