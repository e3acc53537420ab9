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
// # The two paths
//
// Ours runs twice beside stock: with the fast path, which is asked everything, and
// with CLUSTERDNS_FASTPATH=off, which is asked a part of what goes over UDP. The gauge
// coredns_clusterdns_fastpath_enabled has to say so of every listener, and the counters
// have to show answers.
//
// # The Corefiles
//
// Every file testdata/corefiles/*.corefile is a run of its own, named after the
// file, and so is testdata/corefiles/wild/*.corefile. To compare under one more
// Corefile, add the file: as it is written for a server that has a machine to
// itself, but with what exists here. The objects' aliases lead to the zone
// cluster.local; /etc/resolv.conf names the world outside (testdata/upstream.db);
// files are looked for in testdata; the server's own address is 10.244.0.53.
//
// Corefiles in the folder wild are what distributions ship, and what operators say they have. They
// get a part of the questions, by chance: it is to show that the plugins around ours go together with
// it as with stock. One that imports files is a folder there, which its container has
// as /etc/coredns. Both servers also start with each of them letter for letter, one
// after the other, with no other files than those of a container
// (TestCorefilesInTheWild). A table in doc/fast-path.md says what our sockets answer under
// each, and TestSockets holds it to what the server does.
//
// One server block has the plugin kubernetes, and is the one that is compared. What
// the matchers must know of it, such as zones, Namespaces, fallthrough and cache,
// is read from it. Then all ports are moved, since two servers share the machine;
// the plugins that listen keep nothing but their port, and prometheus and ready are added
// where they are not; and one more block is added, the same without our plugin, which
// tells what answers when a question falls through.
//
// The zones of multicluster and of k8s_external in that block are compared as well, each
// against what it shows of the objects: ServiceImports with their slices are the Services
// of a cluster set, and a name outside has no svc. Where they are, a part of the
// cluster's own names is enough.
//
// Under autopath the clients are Pods: the machine has their addresses (podAddrs).
// What a name was completed to is found by asking, from an address of nobody's, for
// one step of the search path after the other; a difference must come from one of those.
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
//	go test -v ./test/differential -seed 7 -questions 1000000
//	go test -v ./test/differential -run 'TestDifferential/kubeadm'
//
// # The one rule
//
// A matcher is as narrow as its entry. A new difference is mended, or it is
// written into doc/differences.md with its reason; no matcher grows to hide it.
package differential
