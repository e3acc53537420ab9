package reply

import "net/netip"

// ForeignSize is the longest reply over UDP to a client outside the cluster's own networks,
// unless the Corefile sets another limit. An attacker may forge the sender of a question, and a
// reply of 64 KiB to a question of 60 octets would flood the victim. A client that gets a
// truncated reply asks again over TCP.
const ForeignSize = 1232

// IsOwnNetwork reports whether an address is private, shared, link-local or loopback (RFC 1918,
// RFC 4193, RFC 6598), so that a cluster may use it for its Pods and nodes.
func IsOwnNetwork(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || sharedNetwork.Contains(a)
}

// sharedNetwork is the network of RFC 6598, from which some clouds number Pods and nodes.
var sharedNetwork = netip.MustParsePrefix("100.64.0.0/10")
