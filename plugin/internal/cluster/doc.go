// Package cluster models, as pure data, the part of a Kubernetes cluster that DNS needs:
// its objects, and immutable snapshots of them. It uses no Kubernetes API, no DNS message,
// no I/O and no clock.
//
//	writer --Txn--> Store --Load--> *Snapshot --> look-up
//
// One goroutine writes: it begins a [Txn], records in it what changed and commits it. Any
// number of readers load the current [Snapshot] and answer a whole query from it, without a
// lock. A commit copies the path to what changed and shares the rest with the previous
// snapshot.
//
// The rule not to break: never change anything that a snapshot can reach.
package cluster
