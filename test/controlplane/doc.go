// Package controlplane runs a real Kubernetes control plane, etcd and
// kube-apiserver and on request kube-controller-manager, for the tests of this
// module.
//
// The binaries are compiled from their own Go modules (test/cluster names the
// version of Kubernetes, test/containerd that of containerd), so that neither a container runtime nor a
// download site is needed. The first compilation takes minutes and is kept in
// the user's cache folder; run
//
//	go run ./test/controlplane/build
//
// beforehand to keep it out of the time limit of "go test".
//
// A test starts a cluster of its own and need not stop it:
//
//	c := controlplane.StartTest(t, controlplane.Options{})
//	c.Apply(ctx, manifest)
//	watcher, err := c.Client().CoreV1().Services("").Watch(ctx, ...)
//	c.KillAPIServer()
//	c.RestartAPIServer(ctx)
//
// # What it is and is not
//
// Every process listens on 127.0.0.1 only and keeps its address for the life
// of the cluster. Certificates come from an authority that is made for each
// cluster, requests are authorized by RBAC, and Services are dual-stack capable
// (see ServiceCIDRv4 and ServiceCIDRv6). There are no nodes (but see
// Options.NodeAddress): a test writes the status of its Pods itself, through
// Apply. Without controllers it writes the EndpointSlices too, and the objects of
// a deleted namespace stay.
//
// # The one rule
//
// The methods that stop and start processes must not run at the same time as
// each other. All other methods are safe for concurrent use.
package controlplane
