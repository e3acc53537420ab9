// Package kube is the Kubernetes side of ClusterDNS: it brings the objects of an
// API server, or of manifest files, into the model of package zone. It knows no
// CoreDNS and no DNS messages.
//
//	API server --reflectors--> sinks --changes--> owner --one Txn per batch--> zone.Store
//	manifests  --poll--------/
//
// Objects are converted at the edge, on the goroutine that decoded them, by pure
// functions; nothing of the API object is kept. There is no informer cache, no
// indexer and no second copy: what the owner holds are the very values that the
// snapshots point to.
//
// A list never empties the store. Each object of it is put as it comes, equal
// ones change nothing, and the list's end names all keys that there are; only
// what is not among them is swept. So an API server that is gone, restarted or
// out of history costs freshness, not answers.
//
// An API server must allow list and watch on services, namespaces,
// endpointslices.discovery.k8s.io and, with Config.Pods, pods. Of a kind that is
// refused one log line tells which rule is missing.
//
// # The one rule
//
// Only the owner's goroutine touches what is held and the store; all others send
// it changes.
package kube
