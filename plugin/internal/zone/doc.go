// Package zone is what a Kubernetes cluster means in DNS: the look-up of a question in a
// snapshot of a cluster, and the answer as records or in wire form. It knows no
// Kubernetes, no CoreDNS, no I/O and no clock.
//
// A [View] is what one server block shows of a snapshot: its origins, TTL and
// policies. Look-up decides existence before type: it finds the node that the
// name belongs to, and only then asks that node for an RRset. A name without a
// node is NXDOMAIN, a node without the RRset is NODATA, and a node that only
// has names below it (an empty non-terminal, RFC 8020) is a node too.
package zone
