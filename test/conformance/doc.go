// Package conformance replays the cases that the CoreDNS project runs against a
// live cluster (github.com/coredns/ci) against our own server.
//
// Everything but the cluster's nodes is real: bin/coredns as make build makes
// it, etcd and kube-apiserver, the ServiceAccount with the rights that kubeadm
// grants and its token where a Pod has it, and a client that asks over the
// network. The cases, their Corefiles and the rules of comparison are in package
// cases. The objects that they are about are in testdata.
//
// # One machine of our own
//
// The Corefiles listen on port 53 of all addresses, the server is known to the
// cluster by its address, and a server inside a cluster finds its token below
// /var/run. So the tests run on a machine of package netlab, whose loopback device
// has the addresses of the server and of the client.
//
//	go test -v ./test/conformance
//	go test ./test/conformance -run 'TestConformance/TestKubernetesPTR'
//	go test ./test/conformance -server /usr/local/bin/coredns   # some other server
//
// # The one rule
//
// The data says what is right. Where the server differs, the server is mended,
// or the difference gets a reason in doc/adr/; the data stays as it is.
package conformance
