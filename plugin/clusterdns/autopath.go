package clusterdns

import (
	"net/netip"
	"strings"
	"sync"

	"github.com/coredns/coredns/plugin"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// resolvConf has the node's search path, which kubelet appends to the search path of every Pod:
// the server's own Pod does not ask the server itself.
const resolvConf = "/etc/resolv.conf"

// searchPath is what the search paths of all Pods have in common.
type searchPath struct {
	node []string // suffixes after those of the cluster
	warn func()   // called when Pods are not known
}

func newSearchPath(resolvConf string, log clog.P) searchPath {
	warning := "autopath has no effect without the property pods verified"
	return searchPath{
		node: readSearch(resolvConf),
		warn: sync.OnceFunc(func() { log.Warning(warning) }),
	}
}

// readSearch reads the search list of a file, which may be missing. The root as a suffix stands for
// the name as it is, for which the plugin autopath wants an empty text.
func readSearch(resolvConf string) []string {
	conf, err := dns.ClientConfigFromFile(resolvConf)
	if err != nil {
		return nil
	}
	list := make([]string, len(conf.Search))
	for i, suffix := range conf.Search {
		list[i] = elementOf(plugin.Name(suffix).Normalize())
	}
	return list
}

func elementOf(suffix string) string { return strings.TrimPrefix(suffix, ".") }

// AutoPath implements autopath.AutoPather. It returns the search path to complete the name with, or
// nil to leave the name alone. The path is the client's own, so it is known for a Pod only, and
// begins with the Pod's Namespace. A name that is not below the first suffix has not been searched
// for yet, and the suffix itself is no searched name. A name that exists needs no completing: the
// plugin autopath would name its alias twice.
func (d *ClusterDNS) AutoPath(state request.Request) []string {
	if d.view.Pods != resolve.PodsVerified {
		d.search.warn()
		return nil
	}
	name, err := dnsname.Parse(state.QName())
	if err != nil {
		return nil
	}
	origin := d.view.Origin(&name)
	if origin == nil {
		return nil
	}
	client := d.client(state)
	if client.Namespace == "" {
		return nil
	}
	if !searchedIn(&name, origin, client.Namespace) || d.view.Exists(d.store.Load(), &name) {
		return nil
	}
	path := d.search.of(client.Namespace, elementOf(origin.String()))
	// A denial repeats the question that is made of the first suffix, so it has to
	// be spelled as the client has.
	path[0] = name.String()[len(name.String())-len(path[0]):]
	return path
}

// of returns the search path of the Pods in a Namespace. The empty element at its end stands for the
// name as it is.
func (s *searchPath) of(namespace, domain string) []string {
	path := make([]string, 0, 4+len(s.node))
	path = append(path, namespace+".svc."+domain, "svc."+domain, domain)
	path = append(path, s.node...)
	return append(path, "")
}

// searchedIn reports whether a name is below the first suffix of the Pods in a Namespace.
func searchedIn(n *dnsname.Name, o *resolve.Origin, namespace string) bool {
	at := n.Labels() - o.Labels() - 2 // of the Namespace
	return at > 0 && n.Label(at) == namespace && n.Label(at+1) == "svc"
}

// client returns who asks, as far as Pods are known.
func (d *ClusterDNS) client(state request.Request) cluster.Client {
	if d.view.Pods != resolve.PodsVerified && (d.completer == nil || !d.completer.Mode.WatchesPods()) {
		return cluster.Client{}
	}
	return clientIn(d.store.Load(), state)
}

// clientIn returns who asks, as far as a snapshot has Pods.
func clientIn(s *cluster.Snapshot, state request.Request) cluster.Client {
	addr, err := netip.ParseAddr(state.IP())
	if err != nil {
		return cluster.Client{}
	}
	return s.Client(addr.Unmap().WithZone(""))
}
