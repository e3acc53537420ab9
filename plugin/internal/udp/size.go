package udp

import "net/netip"

// ForeignSize is the longest reply over UDP to a client outside the cluster's own networks,
// unless the Corefile has another bound. The sender's address of a question may be forged: a
// reply of 64 KiB to a question of 60 octets would be a weapon against whoever has it.
// Clients that get a truncated reply ask again over TCP.
const ForeignSize = 1232

// IsOwnNetwork reports whether an address is of the networks that a cluster has for itself:
// those of private use, of one link, and of one machine (RFC 1918, RFC 4193, RFC 6598).
func IsOwnNetwork(a netip.Addr) bool {
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || sharedNetwork.Contains(a)
}

// sharedNetwork is that of RFC 6598, which clouds give to Pods and nodes.
var sharedNetwork = netip.MustParsePrefix("100.64.0.0/10")

// replySize is how long a reply may be to a client that says what it takes.
func (b *Block) replySize(client netip.Addr, takes uint16) uint16 {
	switch {
	case b.MaxSize > 0:
		return min(takes, b.MaxSize)
	case takes > ForeignSize && !IsOwnNetwork(client):
		return ForeignSize
	}
	return takes
}
