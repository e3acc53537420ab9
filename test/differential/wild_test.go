package differential

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/miekg/dns"
)

// kubeadms is the Corefile of kubeadm, which is compared in depth and is also as wild as
// others.
const kubeadms = "testdata/corefiles/kubeadm.corefile"

// readWild reads the Corefiles of distributions and of clusters.
func readWild(t *testing.T) []*corefile {
	t.Helper()
	return append(slices.DeleteFunc(readCorefiles(t), func(c *corefile) bool { return !c.wild }), readCorefile(t, kubeadms))
}

// configMap returns the files in the folder of the Corefile's container.
func (c *corefile) configMap(t *testing.T) fs.FS {
	t.Helper()
	if filepath.Base(c.path) == containedName {
		return os.DirFS(filepath.Dir(c.path))
	}
	return fstest.MapFS{containedName: {Data: []byte(readText(t, c.path))}}
}

// imported are names that show what a Corefile imports, with their addresses.
var imported = map[string]map[string]string{
	"aks": {"intranet.corp.example.": "192.0.2.10"},
	"gardener": {
		"registry.garden.example.": "192.0.2.71", "www.example.org.zoo.svc.cluster.local.": "198.51.100.1",
		"web.zoo.svc.cluster.local.zoo.svc.cluster.local.": "10.96.1.1", "web.zoo.svc.gen.svc.cluster.local.": "10.96.1.1",
	},
	"ingress":   {"portal.shop.example.": "10.96.1.1", "a.apps.shop.example.": "10.96.1.1", "printer.office.example.": "192.0.2.61"},
	"k3s":       {"node-2.": "192.0.2.22", "web.corp.example.": "10.96.1.1", "www.second.example.": "192.0.2.31"},
	"kubespray": {"node-5.lab.example.": "192.0.2.51"},
	"nodelocal": {"node-1.lab.example.": "192.0.2.41"},
	"vcluster":  {"node-1.virtual.example.": "192.0.2.91", "a.nodes.vcluster.example.": "10.96.1.1"},
	"wildcard":  {"a.apps.shop.example.": "192.0.2.80"},
}

// plain returns questions about the cluster, the world outside, and what distributions
// add to both.
func (c *corefile) plain() []question {
	all := []question{
		ask("web.zoo.svc.cluster.local.", dns.TypeA), ask("_http._tcp.web.zoo.svc.cluster.local.", dns.TypeSRV),
		ask("never.zoo.svc.cluster.local.", dns.TypeA), ask("1.1.96.10.in-addr.arpa.", dns.TypePTR),
		ask("www.example.org.", dns.TypeA), ask("nowhere.example.org.", dns.TypeAAAA), ask("1.100.51.198.in-addr.arpa.", dns.TypePTR),
		ask("10-244-2-1.zoo.pod.cluster.local.", dns.TypeA), ask("www.second.example.", dns.TypeA),
		ask("web.zoo.svc.cluster.local.", dns.TypeAAAA), ask("www.example.org.", dns.TypeAAAA), ask("www.ads.example.", dns.TypeA),
		ask("web.zoo.svc.cluster.local.internal.cloudapp.net.", dns.TypeA), ask("web.reddog.microsoft.com.", dns.TypeA),
		{name: "hostname.bind.", qtype: dns.TypeTXT, class: dns.ClassCHAOS},
	}
	for _, name := range slices.Sorted(maps.Keys(imported[c.name])) {
		all = append(all, ask(name, dns.TypeA))
	}
	return all
}
