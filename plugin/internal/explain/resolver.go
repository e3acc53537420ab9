package explain

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
)

// ResolvConf is what kubelet writes into a Pod's resolv.conf.
type ResolvConf struct {
	Policy  string   `json:"dnsPolicy"`
	Search  []string `json:"search"`
	Ndots   int      `json:"ndots"`
	Options []string `json:"options,omitempty"`
	// Nameservers are empty if nobody knows them.
	Nameservers []string `json:"nameservers,omitempty"`
	// Elsewhere says why the Pod asks another server, or is empty.
	Elsewhere string `json:"elsewhere,omitempty"`
}

// maxSearch is the largest number of suffixes that kubelet gives to a Pod.
const maxSearch = 32

// resolvConf returns the settings of a Pod, which may be nil, in a Namespace. node has the suffixes of the node.
func resolvConf(p *pod, namespace, zone string, node []string) ResolvConf {
	r := ResolvConf{Policy: string(corev1.DNSClusterFirst), Ndots: 1}
	var config *corev1.PodDNSConfig
	if p != nil {
		config = p.Spec.DNSConfig
		if p.Spec.DNSPolicy != "" {
			r.Policy = string(p.Spec.DNSPolicy)
		}
		if p.Spec.HostNetwork && r.Policy == string(corev1.DNSClusterFirst) {
			r.Policy = string(corev1.DNSDefault)
			r.Elsewhere = "the Pod has hostNetwork, so its dnsPolicy ClusterFirst means Default: write ClusterFirstWithHostNet"
		}
	}
	switch corev1.DNSPolicy(r.Policy) {
	case corev1.DNSNone:
	case corev1.DNSDefault:
		r.Search = slices.Clone(node)
		if r.Elsewhere == "" {
			r.Elsewhere = "its dnsPolicy is Default, so it asks the resolvers of its node"
		}
	default:
		r.Ndots = 5
		r.Search = append([]string{namespace + ".svc." + zone, "svc." + zone, zone}, node...)
	}
	r.apply(config)
	return r
}

// resolvConf returns the settings of the Pod that asks, which may be nil.
func (e *explainer) resolvConf(p *pod) ResolvConf {
	zones := e.zones()
	zone := zones[len(zones)-1]
	if e.Domain != "" {
		zone = dns.CanonicalName(e.Domain)
	}
	r := resolvConf(p, e.Namespace, zone, e.NodeSearch)
	if len(e.Nameservers) > 0 {
		r.choose(p, e.Nameservers)
	}
	return r
}

// choose chooses the servers of a Pod, if those of the cluster are known.
func (r *ResolvConf) choose(p *pod, cluster []string) {
	var own []string
	if p != nil && p.Spec.DNSConfig != nil {
		own = p.Spec.DNSConfig.Nameservers
	}
	switch {
	case r.Policy == string(corev1.DNSNone):
		r.Nameservers = own
		if len(own) > 0 && r.Elsewhere == "" && !meet(own, cluster) { // the API server accepts None with nameservers alone
			r.Elsewhere = "its dnsConfig has the nameserver " + strings.Join(own, " ") + ", and not that of the cluster"
		}
	case r.Elsewhere == "":
		r.Nameservers = slices.Concat(cluster, own)
	}
}

// apply adds a Pod's dnsConfig.
func (r *ResolvConf) apply(config *corev1.PodDNSConfig) {
	if config == nil {
		return
	}
	for _, s := range config.Searches {
		if name := dns.CanonicalName(s); !slices.Contains(r.Search, name) {
			r.Search = append(r.Search, name)
		}
	}
	r.Search = r.Search[:min(len(r.Search), maxSearch)]
	for _, o := range config.Options {
		if o.Name == "ndots" && o.Value != nil {
			if n, err := strconv.Atoi(*o.Value); err == nil {
				r.Ndots = n
			}
			continue
		}
		text := o.Name
		if o.Value != nil {
			text += ":" + *o.Value
		}
		r.Options = append(r.Options, text)
	}
}

// String returns the settings in one line.
func (r *ResolvConf) String() string {
	search := make([]string, len(r.Search))
	for i, s := range r.Search {
		search[i] = strings.TrimSuffix(s, ".")
	}
	text := fmt.Sprintf("search %s  ndots:%d", strings.Join(search, " "), r.Ndots)
	if len(r.Nameservers) > 0 {
		text = "nameserver " + strings.Join(r.Nameservers, " ") + "  " + text
	}
	if len(r.Options) > 0 {
		text += "  " + strings.Join(r.Options, " ")
	}
	return text + "  (" + r.Policy + ")"
}

// names returns the names that a resolver asks for, in order.
func (r *ResolvConf) names(name string, libc Libc) (names []string) {
	if strings.HasSuffix(name, ".") {
		return []string{dns.CanonicalName(name)}
	}
	asIs := dns.CanonicalName(name)
	for _, s := range r.Search {
		names = append(names, dns.CanonicalName(name+"."+s))
	}
	switch many := strings.Count(name, ".") >= r.Ndots; {
	case many && libc == Musl:
		return []string{asIs}
	case many:
		return append([]string{asIs}, names...)
	}
	return append(names, asIs)
}

// Libc is a stub resolver.
type Libc string

// The resolvers whose ways are known.
const (
	Glibc Libc = "glibc"
	Musl  Libc = "musl"
)

// verdict is what a resolver makes of the replies to one name.
type verdict int

const (
	next   verdict = iota // it asks for the next name
	found                 // it has what it looks for
	failed                // it gives up
)

// judge returns what a resolver does after the replies to one name.
func (l Libc) judge(replies []Reply) verdict {
	some := slices.ContainsFunc(replies, func(r Reply) bool { return r.Rcode == "NOERROR" && len(r.Records) > 0 })
	has := func(rcode string) bool {
		return slices.ContainsFunc(replies, func(r Reply) bool { return r.Rcode == rcode })
	}
	if l == Musl {
		switch {
		case has("SERVFAIL"), has("none"):
			return failed
		case has("NXDOMAIN"):
			return next
		case some:
			return found
		}
		return failed // NODATA ends the search
	}
	switch {
	case some:
		return found
	case has("none"):
		return failed
	}
	return next
}
