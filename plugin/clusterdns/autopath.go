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

// resolvConf has the node's search path, which kubelet appends to the search path of every
// Pod. The server's own Pod does not use the cluster's DNS.
const resolvConf = "/etc/resolv.conf"

// searchPath is the part of the search path that all Pods share.
type searchPath struct {
	node []string // suffixes after those of the cluster
	warn func()   // called when Pods are not known
}

// newSearchPath reads the node's part of the search path. place is that of the directive, for
// the warning.
func newSearchPath(resolvConf, place string, log clog.P) searchPath {
	warning := place + ": autopath has no effect without the property pods verified"
	return searchPath{
		node: readSearch(resolvConf),
		warn: sync.OnceFunc(func() { log.Warning(warning) }),
	}
}

// readSearch returns the search list of a file, which need not exist. The root as a suffix
// stands for the name as it is, for which the plugin autopath expects an empty text.
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

// AutoPath implements autopath.AutoPather. It returns the search path with which to
// complete the name, or nil to leave the name alone.
//
// The path is the client's own, so it is known only for a Pod, and begins with the Pod's
// Namespace. A name that is not below the first suffix has not been searched for yet, and
// the suffix itself is not a searched name. A name that exists needs no completion, and the
// plugin autopath would list its alias twice.
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
	// A denial repeats the question made from the first suffix, so the suffix must have the
	// client's spelling.
	path[0] = name.String()[len(name.String())-len(path[0]):]
	return path
}

// of returns the search path of the Pods in a Namespace. The empty element at its end
// stands for the name as it is.
func (s *searchPath) of(namespace, domain string) []string {
	path := make([]string, 0, 4+len(s.node))
	path = append(path, namespace+".svc."+domain, "svc."+domain, domain)
	path = append(path, s.node...)
	return append(path, "")
}

// searchedIn reports whether a name is below the first suffix of the Pods in a Namespace.
func searchedIn(n *dnsname.Name, o *resolve.Origin, namespace string) bool {
	at := n.Labels() - o.Labels() - 2 // index of the Namespace's label
	return at > 0 && n.Label(at) == namespace && n.Label(at+1) == "svc"
}

// client returns the sender of a question, as far as Pods are known.
func (d *ClusterDNS) client(state request.Request) cluster.Client {
	if d.view.Pods != resolve.PodsVerified && (d.completer == nil || !d.completer.Mode.WatchesPods()) {
		return cluster.Client{}
	}
	return clientIn(d.store.Load(), state)
}

// clientIn returns the sender of a question, as far as a snapshot has Pods.
func clientIn(s *cluster.Snapshot, state request.Request) cluster.Client {
	addr, err := netip.ParseAddr(state.IP())
	if err != nil {
		return cluster.Client{}
	}
	return s.Client(addr.Unmap().WithZone(""))
}
