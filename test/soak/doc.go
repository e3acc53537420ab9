// Package soak runs the server for minutes under all that goes on in a cluster at
// once, with the race detector in it.
//
//	changes --> kube-apiserver --watch--> coredns built with -race <-- questions over UDP and TCP
//	                                         ^-- a reload every few seconds
//
// Services and EndpointSlices come, change and go, and each version of them has answers
// of its own (see object). Pods come and go, and have the addresses of others. Bursts of
// questions from many sockets go to a listener on all addresses and to one on a single
// address, over IPv4 and IPv6, for names that change, names that do not, and names that
// the fast path hands over. So do, some hundred in a second, packets that are cut,
// repeated, random or hostile.
//
// In the end there may be
//   - no report of the race detector, no panic,
//   - no answer that no version has, and none older than one that was seen before it
//     was asked for,
//   - no reply to a reply or to what is shorter than a header, and none to any other
//     hostile packet that is not well-formed, marked as a reply, and its only one,
//   - no question over UDP without an answer, but for those that the counters say were
//     dropped,
//   - no more memory, goroutines and sockets than after the first minute, but for some
//     that vary.
//
// It is no part of go test: it needs the tag soak and a binary.
//
//	make soak                  # ten minutes
//	make soak SOAKTIME=90s
package soak
