// Package zone is what a Kubernetes cluster means in DNS, as pure data: the
// model of a cluster, immutable snapshots of it, and the look-up of a question
// in one of them. It knows no Kubernetes, no CoreDNS, no I/O and no clock.
//
//	writer --Txn--> Store --Load--> *Snapshot --View.Lookup(question)--> Answer
//
// One goroutine writes: it begins a [Txn], tells it what changed and commits.
// Any number of readers load the current [Snapshot] and answer a whole query
// from it, without a lock. A commit copies the path to what changed and shares
// the rest with the snapshot before it.
//
// A [View] is what one server block shows of a snapshot: its origins, TTL and
// policies. Look-up decides existence before type: it finds the node that the
// name belongs to, and only then asks that node for an RRset. A name without a
// node is NXDOMAIN, a node without the RRset is NODATA, and a node that only
// has names below it (an empty non-terminal, RFC 8020) is a node too.
//
// The rule not to break: nothing that a snapshot can reach is ever changed.
package zone
