package differential

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/caddy/caddyfile"
	"github.com/miekg/dns"
)

const (
	corefilePattern  = "testdata/corefiles/*.corefile"
	wildPattern      = "testdata/corefiles/wild/*.corefile"
	wildFolders      = "testdata/corefiles/wild/*/Corefile"
	changingCorefile = "testdata/changing.corefile"

	// containerDir is where a container has its Corefile and the files beside it.
	containerDir  = "/etc/coredns/"
	containedName = "Corefile"

	// nowhere is the URL of the API server in a Corefile without one.
	nowhere = "http://127.0.0.1:1"
)

// corefile is a configuration for both servers, with what matchers need to know about it.
type corefile struct {
	name   string
	path   string
	wild   bool // gets only a part of the questions
	blocks []caddyfile.ServerBlock
	main   int // the index of the block that is compared: the one with our plugin
	port   int // that block's

	origins    []string // forward zones, the primary one first
	reverse    []string // reverse zones
	namespaces []string // those shown; nil for all
	through    []string // zones of fallthrough

	labels, namespaceLabels string // selectors

	ttl      uint32
	cached   bool
	cacheTTL uint32 // largest TTL that the cache keeps
	uncached string // the zone that the cache leaves out, or empty
	podNames bool   // endpoint_pod_names
	transfer bool   // anybody may transfer the zones
	ordered  bool   // no plugin changes the order of answers
	bound    bool   // to one address
	unready  bool   // there is no API server
	autopath bool   // names are completed for Pods
	minimal  bool   // an answer has no other sections
	retyped  bool   // nobody can ask for AAAA, because rewrite makes another type of it

	sets         []string  // zones of multicluster
	outside      *corefile // configuration of k8s_external, or nil
	external     bool      // this is a configuration of k8s_external
	headless     bool      // of k8s_external
	reverseFirst bool      // the first zone of k8s_external is a reverse one
}

// readCorefiles reads all Corefiles, in the order of their names.
func readCorefiles(t *testing.T) []*corefile {
	t.Helper()
	var all []*corefile
	for _, pattern := range []string{corefilePattern, wildPattern, wildFolders} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			c := readCorefile(t, path)
			c.wild = pattern != corefilePattern
			all = append(all, c)
		}
	}
	return all
}

// readCorefile reads a Corefile as it is written for a server of its own. The
// files of its container are in its folder.
func readCorefile(t *testing.T, path string) *corefile {
	t.Helper()
	folder, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseCorefile(path, strings.ReplaceAll(readText(t, path), containerDir, folder+"/"))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return c
}

func parseCorefile(path, text string) (*corefile, error) {
	blocks, err := caddyfile.Parse(path, strings.NewReader(text), nil)
	if err != nil {
		return nil, err
	}
	c := &corefile{name: corefileName(path), path: path, blocks: blocks, main: -1, ttl: defaultTTL}
	for i, block := range blocks {
		if len(block.Tokens[pluginName]) == 0 {
			continue
		}
		if c.main >= 0 {
			return nil, fmt.Errorf("two server blocks have the plugin %s, want one", pluginName)
		}
		c.main = i
	}
	if c.main < 0 {
		return nil, fmt.Errorf("no server block has the plugin %s", pluginName)
	}
	return c, c.readBlock(blocks[c.main])
}

// corefileName returns the name of the file, or of the folder with the Corefile and the
// files that it imports.
func corefileName(path string) string {
	if filepath.Base(path) == containedName {
		path = filepath.Dir(path)
	}
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}

// exposes reports whether a Namespace is shown, if it exists.
func (c *corefile) exposes(namespace string) bool {
	return c.namespaces == nil || slices.Contains(c.namespaces, namespace)
}

// fallsThrough reports whether the plugin behind is asked for a name that does not
// exist.
func (c *corefile) fallsThrough(name string) bool {
	return slices.ContainsFunc(c.through, func(zone string) bool { return dns.IsSubDomain(zone, name) })
}
