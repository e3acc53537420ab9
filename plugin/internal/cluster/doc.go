// Package cluster is what DNS needs to know of a Kubernetes cluster, as pure data: the
// model of its objects and immutable snapshots of them. It knows no Kubernetes API, no
// DNS message, no I/O and no clock.
//
//	writer --Txn--> Store --Load--> *Snapshot --> look-up
//
// One goroutine writes: it begins a [Txn], tells it what changed and commits. Any
// number of readers load the current [Snapshot] and answer a whole query from it,
// without a lock. A commit copies the path to what changed and shares the rest with
// the snapshot before it.
//
// The rule not to break: nothing that a snapshot can reach is ever changed.
package cluster
