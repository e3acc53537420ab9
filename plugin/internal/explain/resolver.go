package explain

import (
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/explain/objects"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/resolvconf"
)

// Libc is a stub resolver.
type Libc = resolvconf.Libc

// The resolvers whose ways are known.
const (
	Glibc = resolvconf.Glibc
	Musl  = resolvconf.Musl
)

// resolvConf returns the settings of the Pod that asks, which may be nil.
func (e *explainer) resolvConf(p *objects.Pod) resolvconf.Conf {
	zones := e.zones()
	node := resolvconf.Node{Domain: zones[len(zones)-1], Nameservers: e.Nameservers, Search: e.NodeSearch}
	if e.Domain != "" {
		node.Domain = dns.CanonicalName(e.Domain)
	}
	if len(e.Nameservers) == 0 && e.fetched == nil {
		e.Nameservers = e.nameserversOfService()
		node.Nameservers = e.Nameservers
	}
	var asker resolvconf.Pod
	if p != nil {
		asker = askerOf(p)
	}
	return resolvconf.Of(asker, e.Namespace, node)
}
