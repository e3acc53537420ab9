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
	zones  resolve.View          // for making records
	server dnsname.Name          // the name of this server, relative to an origin
	second dnsname.Name          // that of another server of the zones; empty for none
	keys   map[string]serverKeys // of the servers, by origin in wire form
	inside bool                  // names lead to Services, and whatever else is in the zones is the next plugin's
}

// serverKeys are the keys of the names of an origin's servers. An empty one is no key.
type serverKeys struct{ own, second string }

// setServers sets the names of the zones' servers, relative to an origin. The text of the second
// may be empty.
func (v *view) setServers(own, second dnsname.Name, secondText string) {
	v.server = own
	v.zones.SetServer(own)
	v.zones.LongSOA = true
	v.zones.SecondServer = strings.TrimSuffix(secondText, ".")
	v.second = second
	v.keys = map[string]serverKeys{}
	for _, o := range v.zones.Origins {
		keys := serverKeys{own: strings.TrimSuffix(own.Wire(), "\x00") + o.Wire()}
		if secondText != "" {
			keys.second = strings.TrimSuffix(second.Wire(), "\x00") + o.Wire()
		}
		v.keys[o.Wire()] = keys
	}
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
		keys := v.keys[o.Wire()]
		m.Servers, m.Second = addrsOf(s, keys.own), addrsOf(s, keys.second)
	}
	return m
}

// addrsOf returns the addresses of a published name.
func addrsOf(s *cluster.Snapshot, key string) []netip.Addr {
	if node, _ := s.Published(key); node.Published != nil {
		return node.Published.Addrs
	}
	return nil
}

func (v *view) find(s *cluster.Snapshot, n *dnsname.Name, o *resolve.Origin) resolve.Match {
	rest := n.Labels() - o.Labels()
	m := at(s, n, 0)
	switch {
	case rest == 0:
		apex := resolve.LocateApex(n, o)
		apex.Published = m.Published
		return apex
	case rest == v.server.Labels() && above(&v.server, n, 0, rest):
		return resolve.Match{Kind: resolve.AtNameServer, Published: m.Published}
	case rest == v.second.Labels() && above(&v.second, n, 0, rest):
		m.Kind = max(m.Kind, resolve.EmptyNonTerminal)
		return m
	}
	if cut, below := findCut(s, n, o); cut != nil {
		return resolve.Match{Kind: resolve.AtDelegation, Published: cut, BelowCut: below > 0}
	}
	switch {
	case m.Kind != resolve.NoName:
		return m
	case v.aboveServers(n, 0, rest):
		return resolve.Match{Kind: resolve.EmptyNonTerminal}
	}
	return v.findWildcard(s, n, rest)
}

// findWildcard finds the wildcard that a name which does not exist is made from: the one directly
// below the closest encloser (RFC 4592 3.3.1). The origin is the last encloser that there is.
func (v *view) findWildcard(s *cluster.Snapshot, n *dnsname.Name, rest int) resolve.Match {
	for skip := 1; skip <= rest; skip++ {
		if skip < rest && at(s, n, skip).Kind == resolve.NoName && !v.aboveServers(n, skip, rest) {
			continue
		}
		return find(s, true, n, skip)
	}
	return resolve.Match{}
}

// aboveServers reports whether a name without its first labels is that of a server of the zone, or above it. So
// it exists, whatever is published.
func (v *view) aboveServers(n *dnsname.Name, skip, rest int) bool {
	return above(&v.server, n, skip, rest) || above(&v.second, n, skip, rest)
}

// above reports whether a name without its first labels, of which the rest are below the origin, is that of a
// server or above it.
func above(server, n *dnsname.Name, skip, rest int) bool {
	if rest-skip > server.Labels() {
		return false
	}
	for i := 1; i <= rest-skip; i++ {
		if n.Label(rest-i) != server.Label(server.Labels()-i) {
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
