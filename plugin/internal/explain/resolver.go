package explain

import (
	"slices"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/explain/inprocess"
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

// verdict is what a resolver makes of the replies to one name.
type verdict int

const (
	next   verdict = iota // it asks for the next name
	found                 // it has what it looks for
	failed                // it gives up
)

// judge returns what a resolver does after the replies to one name.
func judge(l Libc, replies []inprocess.Reply) verdict {
	has := func(rcode string) bool {
		return slices.ContainsFunc(replies, func(r inprocess.Reply) bool { return r.Rcode == rcode })
	}
	if l == Musl {
		switch {
		case has("SERVFAIL"), has("none"):
			return failed
		case has("NXDOMAIN"):
			return next
		case answered(replies):
			return found
		}
		return failed // NODATA ends the search
	}
	switch {
	case answered(replies):
		return found
	case has("none"), slices.ContainsFunc(replies, func(r inprocess.Reply) bool { return r.EndsSearch() }):
		return failed
	}
	return next
}
