//go:build differential

package differential

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// corefile is a configuration that both servers run with, and what the matchers
// have to know of it.
type corefile struct {
	name       string
	text       string
	behind     string   // the plugins of the main block that come after ours
	origins    []string // forward zones, the primary one first
	reverse    []string // reverse zones
	namespaces []string // those shown; nil for all
	through    []string // zones of fallthrough

	labels, namespaceLabels string // selectors

	ttl      uint32
	cacheTTL uint32 // the most that the cache lets through; 0 if there is none
	uncached string // the zone that the cache leaves out; empty if there is no cache
	podNames bool   // endpoint_pod_names
	ordered  bool   // no plugin changes the order of answers
	bound    bool   // to one address
	unready  bool   // there is no API server
}

// The two blocks of every Corefile: the one that is compared, and one with all
// that comes after our plugin, which tells what a question that falls through
// is answered with. What stands in braces is different for each process.
const (
	blocks = `.:{DNS} {
    ready :{READY}
    {PLUGIN}
    {BEHIND}
}
.:{DNS-BEHIND} {
    {BEHIND}
}
`
	kubeadm = `.:{DNS} {
    errors
    health :{HEALTH}
    ready :{READY}
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :{METRICS}
    {BEHIND}
}
.:{DNS-BEHIND} {
    {BEHIND}
}
`
	kubeadmBehind = `forward . /etc/resolv.conf {
       max_concurrent 1000
    }
    cache 30 {
       disable success cluster.local
       disable denial cluster.local
    }
    loop
    reload
    loadbalance`
	outside = "forward . /etc/resolv.conf\n    loadbalance"
)

// plugin puts our directive into the blocks.
func plugin(lines ...string) string {
	return strings.Replace(blocks, "{PLUGIN}", strings.Join(lines, "\n    "), 1)
}

var reverseZones = []string{"in-addr.arpa.", "ip6.arpa."}

var corefiles = []corefile{
	{
		name: "kubeadm", text: kubeadm, behind: kubeadmBehind,
		origins: []string{"cluster.local."}, reverse: reverseZones, through: reverseZones, uncached: "cluster.local.", ttl: 30, cacheTTL: 30,
	},
	{
		name: "verified",
		text: plugin(
			"errors", "kubernetes cluster.local in-addr.arpa ip6.arpa {",
			"namespaces zoo svc dns 0-digits kube-system default never", "namespaces gen",
			"pods verified", "endpoint_pod_names", "ttl 0", "}"),
		behind:  outside,
		origins: []string{"cluster.local."}, reverse: reverseZones,
		podNames: true, namespaces: []string{"zoo", "svc", "dns", "0-digits", "kube-system", "default", "never", "gen"},
	},
	{
		name: "noendpoints", ttl: 3600,
		text:    plugin("kubernetes cluster.local in-addr.arpa ip6.arpa {", "noendpoints", "pods insecure", "ttl 3600", "}"),
		behind:  outside,
		origins: []string{"cluster.local."}, reverse: reverseZones,
	},
	{
		name: "fallthrough",
		text: plugin("kubernetes k8s.example cluster.local in-addr.arpa ip6.arpa {", "pods verified", "fallthrough", "}",
			"template ANY ANY generated.cluster.local {",
			`answer "{{ .Name }} 66 IN TXT generated"`, "fallthrough", "}"),
		behind:  "file {TESTDATA}/behind.db cluster.local\n    file {TESTDATA}/reverse.db in-addr.arpa\n    " + outside,
		origins: []string{"k8s.example.", "cluster.local."}, reverse: reverseZones, through: []string{"."}, ttl: 5,
	},
	{
		name: "cidr",
		text: plugin("kubernetes cluster.local 10.96.0.0/12 10.244.0.0/16 fd00:10::/32 {", "endpoint_pod_names", "}") + `
second.example:{DNS} {
    file {TESTDATA}/second.db second.example
}
stub.svc.cluster.local:{DNS} {
    file {TESTDATA}/stub.db stub.svc.cluster.local
}
3.244.10.in-addr.arpa:{DNS} {
    forward . /etc/resolv.conf
}
`,
		behind:  outside,
		origins: []string{"cluster.local."}, reverse: cidrZones(), ttl: 5, podNames: true,
	},
	{
		name:    "ordered",
		text:    plugin("kubernetes cluster.local in-addr.arpa ip6.arpa {", "pods verified", "}"),
		behind:  "forward . /etc/resolv.conf",
		origins: []string{"cluster.local."}, reverse: reverseZones, ordered: true, ttl: 5,
	},
	{
		name:    "zonal",
		text:    plugin("kubernetes cluster.local in-addr.arpa ip6.arpa {", "zonal", "ignore empty_service", "pods insecure", "}"),
		behind:  outside,
		origins: []string{"cluster.local."}, reverse: reverseZones, ttl: 5,
	},
	{
		name: "labels",
		text: plugin("kubernetes cluster.local in-addr.arpa ip6.arpa {",
			"labels tier in (front, back)", "namespace_labels team=a", "pods verified", "}"),
		behind:  outside,
		origins: []string{"cluster.local."}, reverse: reverseZones, ttl: 5,
		labels: "tier in (front, back)", namespaceLabels: "team=a",
	},
	{
		name:    "bind",
		text:    plugin("bind 10.244.0.53", "kubernetes cluster.local in-addr.arpa ip6.arpa {", "fallthrough svc.cluster.local", "}"),
		behind:  outside,
		origins: []string{"cluster.local."}, reverse: reverseZones, through: []string{"svc.cluster.local."}, bound: true, ttl: 5,
	},
	{
		name: "unready",
		text: plugin("kubernetes cluster.local in-addr.arpa ip6.arpa {", "endpoint http://127.0.0.1:1",
			"startup_timeout 100ms", "pods insecure", "fallthrough ip6.arpa", "}"),
		behind:  outside,
		origins: []string{"cluster.local."}, reverse: reverseZones, through: []string{"ip6.arpa."}, unready: true, ttl: 5,
	},
}

// changing is the configuration under which objects change.
var changing = corefile{
	name:    "changing",
	text:    plugin("kubernetes cluster.local in-addr.arpa ip6.arpa {", "pods verified", "endpoint_pod_names", "}"),
	behind:  outside,
	origins: []string{"cluster.local."}, reverse: reverseZones, ttl: 5, podNames: true,
}

// cidrZones are the zones that the networks stand for.
func cidrZones() []string {
	zones := []string{"244.10.in-addr.arpa.", "0.1.0.0.0.0.d.f.ip6.arpa."}
	for octet := 96; octet < 112; octet++ {
		zones = append(zones, fmt.Sprintf("%d.10.in-addr.arpa.", octet))
	}
	return zones
}

// exposes says whether a Namespace is shown, if it exists.
func (c *corefile) exposes(namespace string) bool {
	return c.namespaces == nil || slices.Contains(c.namespaces, namespace)
}

// fallsThrough says whether the plugin behind is asked for a name that does not
// exist.
func (c *corefile) fallsThrough(name string) bool {
	return slices.ContainsFunc(c.through, func(zone string) bool { return dns.IsSubDomain(zone, name) })
}
