package cluster

import (
	"iter"
	"net/netip"
	"slices"
)

// Pod is a running Pod as DNS sees it. NewPod makes it, and it must not change afterwards.
// A cluster has very many Pods, so fields that few Pods need are in the Profile.
type Pod struct {
	Namespace string
	ID        uint64 // differs between all Pods of a store
	UID       uint64 // differs between successive Pods of the same name
	*Profile         // never nil

	v4          [4]byte // the first IPv4 address, if hasV4
	hasV4       bool
	HostNetwork bool
}

// Profile holds the fields that few Pods have or few Corefiles need.
type Profile struct {
	Name     string            // empty unless a property needs it
	Labels   map[string]string // nil unless a property needs them
	Resolver *Resolver         // nil for a Pod with the default settings of the cluster

	others []netip.Addr // all addresses but the first IPv4 one
}

// noProfile is the profile of nearly all Pods.
var noProfile Profile

// NewPod returns a copy of p with a profile and addresses. An empty profile takes no
// memory.
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

// sameAddrs reports whether two Pods have the same addresses.
func (p *Pod) sameAddrs(other *Pod) bool {
	return p.hasV4 == other.hasV4 && p.v4 == other.v4 && slices.Equal(p.others, other.others)
}

// Resolver holds the settings of a Pod's stub resolver (dnsPolicy, dnsConfig).
type Resolver struct {
	Policy   string
	Searches []string // in wire form and lower case
	Ndots    int      // -1 if not given

	alone *Profile // for Pods whose profile has nothing but this resolver
}

// NewResolver makes a resolver for any number of Pods to share. Pods whose profile has
// nothing else share the profile too.
func NewResolver(policy string, searches []string, ndots int) *Resolver {
	r := &Resolver{Policy: policy, Searches: searches, Ndots: ndots}
	r.alone = &Profile{Resolver: r}
	return r
}
