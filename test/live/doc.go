// Package live tests the server while it runs: a CoreDNS in this process, so that the race
// detector sees our code, on loopback, with a real API server that changes, breaks and
// returns.
//
//	load --100 questions a second--> CoreDNS --link--> kube-apiserver --> etcd
//	test --objects changed, processes killed, Corefiles reloaded--^
//
// The wanted answer to a question is one line of text, as in
//
//	"A web.live.svc.cluster.local": "NOERROR 10.96.0.20"
//
// A test that changes something waits for the answers that follow. A test that breaks
// something has a load that asks all the time and checks every answer: for each question
// there is the answer that is right now and, during a change, the one that is right next.
// An answer may change from the first to the second, and never back. See load.
//
// Tests that count goroutines run alone. Tests with a control plane of their own run in
// parallel, since most of the time they wait for it.
package live
