// Package kube is the Kubernetes side of ClusterDNS: it brings the objects of an API
// server, or of manifest files, into the model of package cluster. It uses no CoreDNS and
// no DNS messages.
//
//	API server --reflectors--> resources --changes--> writer --one Txn per batch--> cluster.Store
//	manifests  --poll---------/
//
// Package convert converts each object on the goroutine that decoded it, and nothing of the
// API object is kept. There is no informer cache, no indexer and no second copy: the writer
// has the same values that the snapshots point to. Only the fields that DNS needs are
// decoded from protobuf.
//
// A list never empties the store. Each object of a list is put as soon as it is read; an
// equal object changes nothing; at the end of the list, the writer removes the objects that
// were not put. Every list but the first becomes visible in one step at its end. The
// exceptions are lists of Pods, and lists with more changes than the writer keeps back. So
// an API server that is down, restarted or out of history costs freshness but no answers,
// and neither a list nor its keys are ever in memory as a whole.
//
// # API server
//
// It must allow list and watch on services, namespaces, endpointslices.discovery.k8s.io
// and, with Config.Pods, pods. The store is synced when each of these kinds has been
// listed. Lists are streamed if the server supports that (KEP-3157), and read in pages
// otherwise.
//
// With Config.MultiCluster it should allow the same on
// serviceimports.multicluster.x-k8s.io, in version v1beta1 or v1alpha1. If the server does
// not have that kind or does not allow it, the Watcher logs one line, works and syncs
// without it, and goes on trying. Imports that it already has stay meanwhile.
//
// The server applies label selectors, so an object that no longer matches arrives as
// deleted.
//
// Package listwatch lists and watches, and bounds how long every request may wait. Package
// apiserver logs outages.
//
// # Manifests
//
// Package manifest reads and follows files. A Namespace exists if the files have an object
// of it or an object in it. Label selectors select objects as an API server would.
//
// # The one rule
//
// Only the writer's goroutine touches the store and the writer's objects. All other
// goroutines send changes to it.
package kube
