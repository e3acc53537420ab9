package gateway

import (
	"net/netip"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// view is what zones of published names show of a snapshot. It must not change while it is in
// use.
type view struct {
	zones  resolve.View // for making records
	server dnsname.Name // the name of this server, relative to an origin
	second dnsname.Name // that of another server of the zones; empty for none
	inside bool         // names lead to Services, and whatever else is in the zones is the next plugin's
}

// setServers sets the names of the zones' servers, relative to an origin. The text of the second
// may be empty.
func (v *view) setServers(own, second dnsname.Name, secondText string) {
	v.server = own
	v.zones.SetServer(own)
	v.zones.LongSOA = true
	v.zones.SecondServer = strings.TrimSuffix(secondText, ".")
	v.second = second
}

// locate finds what a name below an origin stands for.
//
//	<origin>                      AtApex, and what is published there
//	<apex>.<origin>               AtNameServer
//	<cut>.<origin>, and below     AtDelegation
//	<any other>.<origin>          AtPublished, or EmptyNonTerminal above a published name
func (v *view) locate(s *cluster.Snapshot, n *dnsname.Name, o *resolve.Origin) resolve.Match {
	var m resolve.Match
	if v.inside {
		m = findInside(s, n, o)
	} else {
		m = v.find(s, n, o)
	}
	m.Name, m.Subset.Outside = resolve.KindPublished, true
	if m.Kind == resolve.AtApex || m.Kind == resolve.AtNameServer {
		m.Servers, m.Second = addrsBelow(s, o, &v.server), addrsBelow(s, o, &v.second)
	}
	return m
}

// addrsBelow returns the addresses of a name below an origin.
func addrsBelow(s *cluster.Snapshot, o *resolve.Origin, n *dnsname.Name) []netip.Addr {
	node, _ := s.Published(strings.TrimSuffix(n.Wire(), "\x00") + o.Wire())
	if n.Labels() == 0 || node.Published == nil {
		return nil
	}
	return node.Published.Addrs
}

func (v *view) find(s *cluster.Snapshot, n *dnsname.Name, o *resolve.Origin) resolve.Match {
	rest := n.Labels() - o.Labels()
	if rest == 0 {
		m := resolve.LocateApex(n, o)
		m.Published = at(s, n, 0).Published
		return m
	}
	found, ok := v.findServer(n, rest)
	if ok && found.Kind != resolve.EmptyNonTerminal {
		return found
	}
	if cut, below := findCut(s, n, o); cut != nil {
		return resolve.Match{Kind: resolve.AtDelegation, Published: cut, BelowCut: below > 0}
	}
	if m := at(s, n, 0); m.Kind > found.Kind {
		return m
	}
	if ok {
		return found
	}
	return v.findWildcard(s, n, rest)
}

// findServer finds the name of this server, and the empty non-terminals above it. It reports false
// for other names there. Below the server there is no name.
func (v *view) findServer(n *dnsname.Name, rest int) (resolve.Match, bool) {
	for i := v.server.Labels() - 1; i >= 0 && rest > 0; i-- {
		if n.Label(rest-1) != v.server.Label(i) {
			return resolve.Match{}, false
		}
		if rest--; i == 0 {
			if rest == 0 {
				return resolve.Match{Kind: resolve.AtNameServer}, true
			}
			return resolve.Match{}, true
		}
	}
	return resolve.Match{Kind: resolve.EmptyNonTerminal}, true
}

// findWildcard finds the wildcard that a name which does not exist is made from: the one directly
// below the closest encloser (RFC 4592 3.3.1). The origin is the last encloser that there is.
func (v *view) findWildcard(s *cluster.Snapshot, n *dnsname.Name, rest int) resolve.Match {
	for skip := 1; skip <= rest; skip++ {
		if skip < rest && at(s, n, skip).Kind == resolve.NoName && !v.aboveServer(n, skip, rest) {
			continue
		}
		return find(s, true, n, skip)
	}
	return resolve.Match{}
}

// aboveServer reports whether a name without its first labels is above the server's.
func (v *view) aboveServer(n *dnsname.Name, skip, rest int) bool {
	if rest-skip >= v.server.Labels() {
		return false
	}
	for i := 1; i <= rest-skip; i++ {
		if n.Label(rest-i) != v.server.Label(v.server.Labels()-i) {
			return false
		}
	}
	return true
}

// at finds a name without its first labels.
func at(s *cluster.Snapshot, n *dnsname.Name, skip int) resolve.Match { return find(s, false, n, skip) }

// find finds that name, or the wildcard directly below it.
func find(s *cluster.Snapshot, wildcard bool, n *dnsname.Name, skip int) resolve.Match {
	var node cluster.PublishedNode
	var exists bool
	if key := n.Wire()[n.Offset(n.Labels()-skip):]; wildcard {
		node, exists = s.PublishedWildcard(key)
	} else {
		node, exists = s.Published(key)
	}
	switch {
	case !exists:
		return resolve.Match{}
	case node.Published == nil:
		return resolve.Match{Kind: resolve.EmptyNonTerminal}
	}
	return resolve.Match{Kind: resolve.AtPublished, Published: node.Published}
}
