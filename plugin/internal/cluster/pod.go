package cluster

import (
	"iter"
	"net/netip"
	"slices"
)

// Pod is a running Pod as DNS sees it. It is made by NewPod and never changed
// afterwards. A cluster has very many of them: what most of them do not have, or
// nobody asks for, is in the Profile.
type Pod struct {
	Namespace string
	ID        uint64 // tells the Pods of one store apart
	UID       uint64 // tells a Pod from others that have its name one after the other
	*Profile         // never nil

	v4          [4]byte // the first IPv4 address, if hasV4
	hasV4       bool
	HostNetwork bool
}

// Profile is what few Pods have, or few Corefiles ask for.
type Profile struct {
	Name     string            // empty unless asked for
	Labels   map[string]string // nil unless asked for
	Resolver *Resolver         // nil for a Pod with the cluster's defaults

	others []netip.Addr // all addresses but the first IPv4 one
}

// noProfile is that of nearly all Pods.
var noProfile Profile

// NewPod makes a Pod with these addresses out of p. An empty profile takes no room.
func NewPod(p Pod, profile Profile, addrs ...netip.Addr) *Pod {
	profile.others = nil
	for _, a := range addrs {
		if a.Is4() && !p.hasV4 {
			p.v4, p.hasV4 = a.As4(), true
		} else {
			profile.others = append(profile.others, a)
		}
	}
	p.Profile = &noProfile
	switch r := profile.Resolver; {
	case profile.Name != "" || profile.Labels != nil || profile.others != nil:
		p.Profile = &profile
	case r != nil && r.alone != nil:
		p.Profile = r.alone
	case r != nil:
		p.Profile = &profile
	}
	return &p
}

// Addrs iterates over the addresses of a Pod, the first IPv4 address first.
func (p *Pod) Addrs() iter.Seq[netip.Addr] {
	return func(yield func(netip.Addr) bool) {
		if p.hasV4 && !yield(netip.AddrFrom4(p.v4)) {
			return
		}
		for _, a := range p.others {
			if !yield(a) {
				return
			}
		}
	}
}

// SameAddrs reports whether two Pods have the same addresses.
func (p *Pod) SameAddrs(other *Pod) bool {
	return p.hasV4 == other.hasV4 && p.v4 == other.v4 && slices.Equal(p.others, other.others)
}

// Resolver is what a Pod says of its own stub resolver (dnsPolicy, dnsConfig).
type Resolver struct {
	Policy   string
	Searches []string // in wire form and lower case
	Ndots    int      // -1 if not given

	alone *Profile // of Pods that have nothing else of their own
}

// NewResolver makes a resolver that many Pods may have: it takes room but once.
func NewResolver(policy string, searches []string, ndots int) *Resolver {
	r := &Resolver{Policy: policy, Searches: searches, Ndots: ndots}
	r.alone = &Profile{Resolver: r}
	return r
}
