// Package live tests the server while it runs: a CoreDNS in this process, so
// that the race detector sees our code, on loopback, against a real API server
// that changes, breaks and comes back.
//
//	load --100 questions a second--> CoreDNS --link--> kube-apiserver --> etcd
//	test --objects changed, processes killed, Corefiles reloaded--^
//
// What a name is answered with is written as one line of text, as in
//
//	"A web.live.svc.cluster.local": "NOERROR 10.96.0.20"
//
// A test that changes something awaits the answers it leads to. A test that
// breaks something has a client ask all the time and judges every single answer:
// for each question there is the answer that is right now and, while a change is
// under way, the one that is right next. An answer may go from the first to the
// second, and never back. See load.
//
// Tests that count goroutines run alone; those with a control plane of their own
// run side by side, since they wait for it most of the time.
package live
