// Package differential asks stock CoreDNS and ours the same questions and wants
// the same answers.
//
//	                      +--watch-- stock CoreDNS 1.15.0 --+
//	kube-apiserver --etcd |                                 |-- the same question to both,
//	  generated cluster   +--watch-- bin/coredns -----------+   the two answers compared
//
// Both servers run on a machine of their own (package netlab) with one Corefile
// after the other, against a real API server with one cluster: every shape of
// object that a server of today takes (testdata/zoo.yaml) and some hundred more
// that a seed generates. What is asked are all names that exist, in every type,
// and names that nearly do, in every way that a client may ask. While objects
// change, both must go on answering; afterwards they must agree again.
//
// # What may differ
//
// doc/differences.md says in which answers we differ from stock on purpose. Each
// of its entries has a matcher here, which says of a question and its two answers
// whether they are what the entry describes. An answer that differs and that no
// matcher explains fails the test, and so does a matcher whose entry is gone.
// Entries that no question met are listed in the end.
//
// The serial of SOA records is not compared: it is a time.
//
//	go test -v ./test/differential
//	go test -v ./test/differential -seed 7 -count 1000000
//	go test -v ./test/differential -run 'TestDifferential/kubeadm'
//
// # The one rule
//
// A matcher is as narrow as its entry. A new difference is mended, or it is
// written into doc/differences.md with its reason; no matcher grows to hide it.
package differential
