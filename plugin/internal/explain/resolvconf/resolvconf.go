package resolvconf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
)

// Pod has what decides how a Pod asks, and from where.
type Pod struct {
	Policy      corev1.DNSPolicy     `json:",omitempty"` // ClusterFirst if empty
	Config      *corev1.PodDNSConfig `json:",omitempty"`
	HostNetwork bool                 `json:",omitempty"`
	Address     string               `json:",omitempty"`
}

// Node has what kubelet takes from its own settings. Nameservers are empty if nobody knows them.
type Node struct {
	Domain      string   // the cluster's
	Nameservers []string // the cluster's
	Search      []string // of the node's own resolv.conf
}

// Conf is what kubelet writes into a Pod's resolv.conf.
type Conf struct {
	Policy string `json:"dnsPolicy"`
	// Search has the suffixes as they are written, so most are without a dot at the end.
	Search  []string `json:"search"`
	Ndots   int      `json:"ndots"`
	Options []string `json:"options,omitempty"`
	// Nameservers are empty if nobody knows them.
	Nameservers []string `json:"nameservers,omitempty"`
	// Elsewhere says why the Pod asks another server, or is empty.
	Elsewhere string `json:"elsewhere,omitempty"`
}

// What kubelet leaves out is beyond these numbers (pkg/apis/core/validation in Kubernetes).
const (
	maxNameservers  = 3
	maxSearch       = 32
	maxSearchOctets = 2048 // of the whole line, without "search"
	maxSuffix       = 253
)

// Of returns what a Pod in a Namespace has.
func Of(p Pod, namespace string, n Node) Conf {
	c := Conf{Policy: string(p.Policy), Ndots: 1}
	if c.Policy == "" {
		c.Policy = string(corev1.DNSClusterFirst)
	}
	if p.HostNetwork && c.Policy == string(corev1.DNSClusterFirst) {
		c.Policy = string(corev1.DNSDefault)
		c.Elsewhere = "the Pod has hostNetwork, so its dnsPolicy ClusterFirst means Default: write ClusterFirstWithHostNet"
	}
	switch corev1.DNSPolicy(c.Policy) {
	case corev1.DNSNone:
	case corev1.DNSDefault:
		c.Search = n.Search
		if c.Elsewhere == "" {
			c.Elsewhere = "its dnsPolicy is Default, so it asks the resolvers of its node"
		}
	default:
		c.Ndots = 5
		domain := strings.TrimSuffix(n.Domain, ".")
		c.Search = append([]string{namespace + ".svc." + domain, "svc." + domain, domain}, n.Search...)
	}
	if p.Config != nil {
		c.Search = slices.Concat(c.Search, p.Config.Searches)
		c.setOptions(p.Config.Options)
	}
	c.Search = fitting(c.Search)
	c.choose(p.Config, n.Nameservers)
	return c
}

// choose chooses the servers of a Pod. Those of the cluster may not be known.
func (c *Conf) choose(config *corev1.PodDNSConfig, cluster []string) {
	var own []string
	if config != nil {
		own = config.Nameservers
	}
	switch {
	case c.Policy == string(corev1.DNSNone):
		c.Nameservers = own
		meets := slices.ContainsFunc(own, func(a string) bool { return slices.Contains(cluster, a) })
		if len(own) > 0 && len(cluster) > 0 && !meets { // the API server accepts None with nameservers alone
			c.Elsewhere = "its dnsConfig has the nameserver " + strings.Join(own, " ") + ", and not that of the cluster"
		}
	case c.Elsewhere == "" && len(cluster) > 0:
		c.Nameservers = slices.Concat(cluster, own)
	}
	c.Nameservers = once(c.Nameservers)
	c.Nameservers = c.Nameservers[:min(len(c.Nameservers), maxNameservers)]
}

// once returns a list without repetitions.
func once(list []string) (all []string) {
	for _, text := range list {
		if !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

func (c *Conf) setOptions(all []corev1.PodDNSConfigOption) {
	for _, o := range all {
		text := o.Name
		if o.Value != nil && *o.Value != "" {
			text += ":" + *o.Value
		}
		if o.Name == "ndots" {
			c.Ndots = ndots(strings.TrimPrefix(text, "ndots:"))
			continue
		}
		c.set(o.Name, text)
	}
}

// ndots returns what C libraries make of a value. What a Pod says takes the place of kubelet's 5, also without a number.
func ndots(value string) int {
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		return 1
	}
	return min(n, 15)
}

// set adds an option, which takes the place of an earlier one of its name.
func (c *Conf) set(name, text string) {
	i := slices.IndexFunc(c.Options, func(o string) bool { return o == name || strings.HasPrefix(o, name+":") })
	if i < 0 {
		c.Options = append(c.Options, text)
	} else {
		c.Options[i] = text
	}
}

// fitting returns the suffixes that kubelet writes, in its order: without repetitions, and within its bounds.
func fitting(search []string) []string {
	if search = once(search); search == nil {
		return []string{}
	}
	search = search[:min(len(search), maxSearch)]
	search = slices.DeleteFunc(search, func(s string) bool { return len(s) > maxSuffix })
	for len(strings.Join(search, " ")) > maxSearchOctets {
		search = search[:len(search)-1]
	}
	return search
}

// String returns the settings in one line.
func (c *Conf) String() string {
	text := "no search"
	if len(c.Search) > 0 {
		text = "search " + strings.Join(c.Search, " ")
	}
	text += fmt.Sprintf("  ndots:%d", c.Ndots)
	if len(c.Nameservers) > 0 {
		text = "nameserver " + strings.Join(c.Nameservers, " ") + "  " + text
	}
	if len(c.Options) > 0 {
		text += "  " + strings.Join(c.Options, " ")
	}
	return text + "  (" + c.Policy + ")"
}

// Libc is a stub resolver.
type Libc string

// The resolvers whose ways are known.
const (
	Glibc Libc = "glibc"
	Musl  Libc = "musl"
)

// muslLine is the length from which on musl leaves a line of resolv.conf out.
const muslLine = 255

// searches returns the suffixes that a resolver heeds.
func (c *Conf) searches(libc Libc) []string {
	if libc == Musl && len("search "+strings.Join(c.Search, " ")) >= muslLine {
		return nil
	}
	return c.Search
}

// Names returns the names that a resolver asks for, in order.
func (c *Conf) Names(name string, libc Libc) (names []string) {
	if strings.HasSuffix(name, ".") {
		return []string{dns.CanonicalName(name)}
	}
	asIs := dns.CanonicalName(name)
	for _, s := range c.searches(libc) {
		names = append(names, dns.CanonicalName(strings.TrimSuffix(name+"."+s, "..")))
	}
	switch many := strings.Count(name, ".") >= c.Ndots; {
	case many && libc == Musl:
		return []string{asIs}
	case many:
		names = append([]string{asIs}, names...)
	default:
		names = append(names, asIs)
	}
	return once(names) // a suffix of the root makes the name itself
}
