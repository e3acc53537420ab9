// Package test has the tests about the repository as a whole.
package test

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const (
	module     = "github.com/clusterdns/clusterdns"
	plugins    = module + "/plugin"
	clusterdns = plugins + "/clusterdns"
	internal   = plugins + "/internal"
)

// listed is the output of go list for a package, without test files.
type listed struct {
	ImportPath string
	Imports    []string // imports of its own files
	Deps       []string // all imports, also through other packages
}

// rule keeps some imports out of the packages below a path. A path in a rule stands for
// itself and everything below it.
type rule struct {
	under   string
	ours    []string // all imports of this module that are allowed
	direct  []string // imports that are forbidden in its own files
	except  []string // exceptions from direct
	deep    []string // imports that are forbidden even through other packages
	planned bool     // the package may not exist yet
}

var (
	coreDNS    = []string{"github.com/coredns"}
	kubernetes = []string{"k8s.io", "sigs.k8s.io"}
	clients    = []string{"k8s.io/client-go"}
	dnsLibrary = []string{"github.com/miekg/dns"}
	inOutClock = []string{"net", "os", "io/fs", "io/ioutil", "syscall", "log", "time", "golang.org/x/net", "golang.org/x/sys"}
)

// rules are the import rules of the packages. The first rule whose path matches applies.
var rules = []rule{
	{
		under:  internal + "/dnsname",
		ours:   []string{internal + "/dnsname"},
		direct: inOutClock,
		except: []string{"net/netip"},
		deep:   slices.Concat(coreDNS, kubernetes, dnsLibrary),
	},
	{
		under:  internal + "/radix",
		ours:   []string{internal + "/radix"},
		direct: inOutClock,
		except: []string{"net/netip"},
		deep:   slices.Concat(coreDNS, kubernetes, dnsLibrary),
	},
	{
		under:  internal + "/cluster",
		ours:   []string{internal + "/cluster", internal + "/dnsname", internal + "/radix"},
		direct: inOutClock,
		except: []string{"net/netip"},
		deep:   slices.Concat(coreDNS, kubernetes, dnsLibrary),
	},
	{
		under:  internal + "/resolve",
		ours:   []string{internal + "/resolve", internal + "/cluster", internal + "/dnsname", internal + "/radix"},
		direct: inOutClock,
		except: []string{"net/netip"},
		deep:   slices.Concat(coreDNS, kubernetes, dnsLibrary),
	},
	{
		under:  internal + "/answer",
		ours:   []string{internal + "/answer", internal + "/resolve", internal + "/cluster", internal + "/dnsname"},
		direct: inOutClock,
		except: []string{"net/netip"},
		deep:   slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/kube/convert",
		ours:   []string{internal + "/kube/convert", internal + "/cluster", internal + "/dnsname"},
		direct: slices.Concat(inOutClock, dnsLibrary),
		except: []string{"net/netip"},
		deep:   slices.Concat(coreDNS, clients),
	},
	{
		under:  internal + "/kube/publish/behind",
		ours:   []string{internal + "/kube/convert", internal + "/kube/slimpb", internal + "/cluster"},
		direct: slices.Concat(inOutClock, dnsLibrary),
		except: []string{"net/netip"},
		deep:   slices.Concat(coreDNS, clients),
	},
	{
		under:  internal + "/kube/publish/hostname",
		ours:   []string{internal + "/dnsname"},
		direct: inOutClock,
		except: []string{"golang.org/x/net/idna"},
		deep:   slices.Concat(coreDNS, kubernetes, dnsLibrary),
	},
	{
		under:  internal + "/kube/publish/rdata",
		ours:   []string{internal + "/kube/publish/hostname", internal + "/cluster", internal + "/dnsname"},
		direct: slices.Concat(inOutClock, dnsLibrary),
		except: []string{"net/netip"},
		deep:   slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/kube/publish/target",
		ours:   []string{internal + "/kube/publish/rdata", internal + "/kube/publish/hostname", internal + "/kube/convert", internal + "/cluster", internal + "/dnsname"},
		direct: slices.Concat(inOutClock, dnsLibrary, kubernetes),
		deep:   slices.Concat(coreDNS, clients),
	},
	{
		under:  internal + "/kube/publish/zone",
		ours:   []string{internal + "/cluster", internal + "/dnsname"},
		direct: inOutClock,
		deep:   slices.Concat(coreDNS, kubernetes, dnsLibrary),
	},
	{
		under:  internal + "/kube/publish",
		ours:   []string{internal + "/kube/publish", internal + "/kube/convert", internal + "/kube/slimpb", internal + "/cluster", internal + "/dnsname"},
		direct: slices.Concat(inOutClock, dnsLibrary),
		except: []string{"net/netip"},
		deep:   slices.Concat(coreDNS, clients),
	},
	{
		under:  internal + "/kube/apiserver",
		ours:   []string{internal + "/kube/apiserver"},
		direct: dnsLibrary,
		deep:   coreDNS,
	},
	{
		under:  internal + "/kube/slimpb",
		ours:   []string{internal + "/kube/slimpb"},
		direct: slices.Concat(dnsLibrary, []string{"net", "os", "time", "k8s.io/client-go"}),
		deep:   coreDNS,
	},
	{
		under:  internal + "/state",
		ours:   []string{internal + "/cluster", internal + "/dnsname", internal + "/state"},
		direct: []string{"net", "log"},
		except: []string{"net/netip"},
		deep:   slices.Concat(coreDNS, kubernetes, dnsLibrary),
	},
	{
		under:  internal + "/kube/thrift",
		ours:   []string{internal + "/kube/thrift"},
		direct: slices.Concat(dnsLibrary, []string{"net", "time"}),
		deep:   slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/kube/keyed",
		ours:   []string{internal + "/kube/keyed"},
		direct: slices.Concat(inOutClock, dnsLibrary),
		deep:   slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/kube/table",
		ours:   []string{internal + "/kube/table", internal + "/kube/keyed", internal + "/cluster"},
		direct: slices.Concat(inOutClock, dnsLibrary),
		deep:   slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/kube/checkpoint",
		ours:   []string{internal + "/kube/checkpoint", internal + "/cluster"},
		direct: slices.Concat(dnsLibrary, []string{"net", "os", "log"}),
		deep:   slices.Concat(coreDNS, clients),
	},
	{
		under:  internal + "/kube/barrier",
		ours:   []string{internal + "/kube/barrier"},
		direct: slices.Concat(inOutClock, dnsLibrary),
		deep:   slices.Concat(coreDNS, clients),
	},
	{
		under:  internal + "/kube/listwatch",
		ours:   []string{internal + "/kube/listwatch", internal + "/kube/apiserver", internal + "/kube/slimpb"},
		direct: dnsLibrary,
		deep:   coreDNS,
	},
	{
		under:  internal + "/kube/manifest/pieces",
		ours:   []string{internal + "/kube/manifest/pieces"},
		direct: slices.Concat(inOutClock, dnsLibrary),
		deep:   slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/kube/manifest",
		ours:   []string{internal + "/kube/manifest", internal + "/kube/publish", internal + "/kube/convert", internal + "/cluster"},
		direct: dnsLibrary,
		deep:   slices.Concat(coreDNS, clients),
	},
	{
		under:  internal + "/kube",
		ours:   []string{internal + "/kube", internal + "/cluster", internal + "/dnsname"},
		direct: dnsLibrary,
		deep:   coreDNS,
	},
	{
		under:  internal + "/searchpath",
		ours:   []string{internal + "/searchpath"},
		direct: slices.Concat(inOutClock, dnsLibrary),
		deep:   slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/recent",
		ours:   []string{internal + "/recent"},
		direct: inOutClock,
		except: []string{"time"}, // for the type of a time
		deep:   slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/reply",
		ours:   []string{internal + "/reply", internal + "/recent", internal + "/searchpath", internal + "/answer", internal + "/resolve", internal + "/cluster", internal + "/dnsname"},
		direct: inOutClock,
		except: []string{"net/netip", "time"}, // for the type of a duration
		deep:   slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/top",
		ours:   []string{internal + "/top", internal + "/resolve", internal + "/cluster", internal + "/dnsname"},
		direct: inOutClock,
		except: []string{"net/netip", "time"}, // for the type of a time
		deep:   slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/fair",
		ours:   []string{internal + "/fair"},
		direct: inOutClock,
		except: []string{"net/netip"},
		deep:   slices.Concat(coreDNS, kubernetes, dnsLibrary),
	},
	{
		under:  internal + "/machine",
		ours:   []string{internal + "/machine"},
		direct: slices.Concat([]string{"time", "golang.org/x/sys"}, dnsLibrary),
		deep:   slices.Concat(coreDNS, kubernetes, dnsLibrary),
	},
	{
		under:  internal + "/steer",
		ours:   []string{internal + "/steer"},
		direct: slices.Concat([]string{"os"}, dnsLibrary),
		deep:   slices.Concat(coreDNS, kubernetes, dnsLibrary),
	},
	{
		under:   internal + "/udp",
		ours:    []string{internal + "/udp", internal + "/recent", internal + "/reply", internal + "/fair", internal + "/machine", internal + "/steer"},
		deep:    kubernetes,
		planned: true,
	},
	{
		under: internal + "/tcp",
		ours:  []string{internal + "/tcp", internal + "/recent", internal + "/reply", internal + "/fair"},
		deep:  slices.Concat(coreDNS, kubernetes),
	},
	{
		under: internal + "/corefile",
		ours:  []string{internal + "/corefile", internal + "/answer", internal + "/resolve", internal + "/dnsname"},
		deep:  kubernetes,
	},
	{
		under: internal + "/chain",
		ours:  []string{internal + "/chain", internal + "/tcp", internal + "/top", internal + "/reply", internal + "/resolve", internal + "/dnsname"},
		deep:  kubernetes,
	},
	{
		under: internal + "/xfr",
		ours:  []string{internal + "/xfr", internal + "/answer", internal + "/resolve", internal + "/cluster", internal + "/dnsname"},
		deep:  kubernetes,
	},
	{
		under: internal + "/completion",
		ours:  []string{internal + "/completion", internal + "/cluster", internal + "/corefile", internal + "/dnsname", internal + "/reply", internal + "/searchpath", internal + "/answer", internal + "/resolve"},
		deep:  kubernetes,
	},
	{
		under: internal + "/fastpath",
		ours: []string{internal + "/fastpath", internal + "/cluster", internal + "/completion", internal + "/corefile", internal + "/dnsname", internal + "/recent", internal + "/reply", internal + "/udp", internal + "/tcp", internal + "/fair",
			internal + "/answer", internal + "/resolve"},
		deep: kubernetes,
	},
	{
		under:  internal + "/check/written",
		ours:   []string{internal + "/check/written"},
		direct: inOutClock,
		deep:   slices.Concat(coreDNS, kubernetes, dnsLibrary),
	},
	{
		under: internal + "/check",
		ours: []string{internal + "/check", internal + "/fastpath", internal + "/corefile", internal + "/cluster", internal + "/completion", internal + "/dnsname", internal + "/recent",
			internal + "/reply", internal + "/udp", internal + "/answer", internal + "/resolve"},
		direct: []string{"net/http", "net/rpc", "os/exec"},
		deep:   kubernetes,
	},
	{
		under:  internal + "/watch",
		ours:   []string{internal + "/watch", internal + "/kube", internal + "/cluster", internal + "/state"},
		direct: slices.Concat(dnsLibrary, kubernetes),
	},
	{
		under: internal + "/metrics",
		ours: []string{internal + "/metrics", internal + "/kube", internal + "/cluster", internal + "/resolve", internal + "/answer", internal + "/reply", internal + "/udp",
			internal + "/searchpath", internal + "/completion", internal + "/fastpath", internal + "/top"},
		direct: kubernetes,
	},
	{
		under:  internal + "/explain/fetch",
		ours:   []string{internal + "/explain/fetch", internal + "/kube/convert"},
		direct: slices.Concat(dnsLibrary, clients),
		deep:   coreDNS,
	},
	{
		under: internal + "/explain/resolvconf",
		ours:  []string{internal + "/explain/resolvconf"},
		deep:  slices.Concat(coreDNS, clients),
	},
	{
		under:  internal + "/explain/inprocess",
		ours:   []string{internal + "/explain/inprocess"},
		direct: kubernetes,
	},
	{
		under:  internal + "/explain/objects",
		ours:   []string{internal + "/explain/objects", internal + "/kube/manifest", internal + "/kube/convert", internal + "/cluster"},
		direct: dnsLibrary,
		deep:   coreDNS,
	},
	{
		under:  internal + "/explain/stub",
		ours:   []string{internal + "/explain/stub", internal + "/explain/inprocess", internal + "/explain/resolvconf"},
		direct: kubernetes,
	},
	{
		under: internal + "/explain/spelling",
		ours:  []string{internal + "/explain/spelling"},
		deep:  slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/explain/socket",
		ours:   []string{internal + "/explain/socket"},
		direct: dnsLibrary,
		deep:   slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/explain",
		ours:   []string{internal + "/explain", internal + "/check", internal + "/fastpath", internal + "/corefile", internal + "/resolve", internal + "/cluster", internal + "/kube/manifest", internal + "/kube/convert"},
		direct: clients,
	},
	{
		under:  internal + "/doctor/api",
		ours:   []string{internal + "/doctor/api", internal + "/kube/apiserver"},
		direct: dnsLibrary,
		deep:   coreDNS,
	},
	{
		under:  internal + "/doctor/scrape",
		ours:   []string{internal + "/doctor/scrape"},
		direct: slices.Concat(dnsLibrary, []string{"net", "os"}),
		deep:   slices.Concat(coreDNS, kubernetes),
	},
	{
		under:  internal + "/doctor/patient",
		ours:   []string{internal + "/doctor/patient", internal + "/doctor/api", internal + "/doctor/scrape", internal + "/check", internal + "/kube/convert"},
		direct: clients,
	},
	{
		under:  internal + "/doctor",
		ours:   []string{internal + "/doctor", internal + "/check"},
		direct: clients,
	},
	{under: plugins + "/commands", ours: []string{internal + "/check", internal + "/explain", internal + "/top", internal + "/doctor", internal + "/kube/apiserver"}},
	{under: clusterdns, ours: []string{clusterdns, internal}},
	{under: plugins + "/kubernetes", ours: []string{clusterdns}},
	{under: plugins + "/k8s_gateway", ours: []string{plugins + "/k8s_gateway", clusterdns, internal}},
	{under: plugins + "/k8s_external", ours: []string{plugins + "/k8s_external", clusterdns, internal}},
}

// Both systems are checked because some files are built on Linux only.
func TestImports(t *testing.T) {
	for _, goos := range []string{"linux", "darwin"} {
		met := map[string]bool{}
		for _, p := range listPlugins(t, goos) {
			met[ruleFor(p.ImportPath).under] = true
			for _, breach := range breaches(p) {
				t.Errorf("%s: %s", goos, breach)
			}
		}
		for _, r := range rules {
			if !met[r.under] && !r.planned {
				t.Errorf("%s: the rule for %s meets no package", goos, r.under)
			}
		}
	}
}

// breaches returns the imports of a package that its rule forbids.
func breaches(p listed) []string {
	r := ruleFor(p.ImportPath)
	if r.under == "" {
		return []string{p.ImportPath + " has no import rule"}
	}
	var found []string
	for _, path := range p.Imports {
		if r.forbids(path) {
			found = append(found, p.ImportPath+" imports "+path)
		}
	}
	for _, path := range p.Deps {
		if underAny(path, r.deep) {
			found = append(found, p.ImportPath+" depends on "+path)
		}
	}
	return found
}

func (r rule) forbids(path string) bool {
	if under(path, module) {
		return !underAny(path, r.ours)
	}
	return underAny(path, r.direct) && !underAny(path, r.except)
}

func ruleFor(path string) rule {
	for _, r := range rules {
		if under(path, r.under) {
			return r
		}
	}
	return rule{}
}

func under(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

func underAny(path string, roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return under(path, root) })
}

func listPlugins(t *testing.T, goos string) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports,Deps", plugins+"/...")
	cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
	return decode(t, string(out))
}

func decode(t *testing.T, stream string) []listed {
	t.Helper()
	var packages []listed
	for decoder := json.NewDecoder(strings.NewReader(stream)); ; {
		var p listed
		switch err := decoder.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages
		case err != nil:
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
