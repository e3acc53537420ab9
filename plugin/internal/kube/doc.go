// Package kube is the Kubernetes side of ClusterDNS: it brings the objects of an
// API server, or of manifest files, into the model of package cluster. It knows no
// CoreDNS and no DNS messages.
//
//	API server --reflectors--> resources --changes--> writer --one Txn per batch--> cluster.Store
//	manifests  --poll---------/
//
// Objects are converted at the edge, on the goroutine that decoded them, by package
// convert; nothing of the API object is kept. There is no informer cache, no
// indexer and no second copy: what the writer holds are the very values that the
// snapshots point to.
//
// A list never empties the store. Each object of it is put as it is read, equal
// ones change nothing, and what was not put is swept at the list's end. A list that is
// not the first shows its changes then too, in one step, unless there are too many of them
// to be kept back, and but for Pods. So an
// API server that is gone, restarted or out of history costs freshness, not
// answers, and no list is ever in memory, nor are its keys. Of an object in
// protobuf only the fields that DNS needs are decoded.
//
// # API server
//
// It must allow list and watch on services, namespaces,
// endpointslices.discovery.k8s.io and, with Config.Pods, pods. The store is
// synced when each of these kinds has been listed. Lists are streamed where the
// server can do that, and read in pages where not.
//
// With Config.MultiCluster it should allow the same on
// serviceimports.multicluster.x-k8s.io, in version v1beta1 or v1alpha1. Where it
// has no such kind, or does not allow it, that is one line in the log, all the
// rest works and is synced without, and the kind is looked for again and again.
// What was imported before stays meanwhile.
//
// Label selectors are applied by the server, so an object that no longer matches
// is deleted for us.
//
// Package listwatch lists and watches, and lets no request wait without end. What the
// log tells of outages is in package apiserver.
//
// # Manifests
//
// Package manifest reads and follows files. A Namespace exists if there is an object of it
// or in it. Label selectors narrow the objects as an API server would.
//
// # The one rule
//
// Only the writer's goroutine touches what is held and the store; all others send
// it changes.
package kube
