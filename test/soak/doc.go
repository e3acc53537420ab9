// Package soak runs the server for minutes or hours under all that goes on in a cluster at
// once, with the race detector in it or without.
//
//	changes --> kube-apiserver --watch--> relay --> coredns <-- questions over UDP and TCP, floods
//	                                                 |   ^-- a reload every few seconds
//	                    secondaries <--AXFR, IXFR----'
//
// Services and EndpointSlices come, change and go, and each version of them has answers
// of its own (see object), in the cluster's zone and in that of k8s_external. Pods come and
// go, and have the addresses of others. Bursts of questions from many sockets go to a
// listener on all addresses and to one on a single address, over IPv4 and IPv6, for names
// that change, names that do not, and names that the fast path hands over. So do, some
// hundred in a second, packets that are cut, repeated, random or hostile.
//
// The relay to the API server falls silent for 20 seconds in two minutes, and for 50 every
// third time, while its connections stay open. Changes go on meanwhile: the server may be
// behind, but no answer may go back, and half a minute later all must be seen.
//
// For 10 seconds in a minute one client floods both listeners, with one kind of flood after
// another (see floods), over UDP and TCP, some of them behind an upstream that is dead for
// their names. Polite clients, each with an address of its own, ask a hundred questions in a
// second: for names of the cluster, of k8s_external and outside, for aliases that lead
// outside, and for searched names. The upstream answers with the time, and a TTL of 1 to 5
// seconds.
//
// Secondaries follow both zones of both listeners by differences, on NOTIFY or after a
// second, and compare what they have with the whole zone.
//
// In the end there may be
//   - no report of the race detector, no panic,
//   - no answer that no version has, and none older than one that was seen before it
//     was asked for,
//   - no answer from outside that is older than its TTL, or the least of the cache, by more
//     than a second,
//   - no difference that does not fit a secondary's zone, and no zone that is another than
//     the server's with the same serial,
//   - no reply to a reply or to what is shorter than a header, and none to any other
//     hostile packet that is not well-formed, marked as a reply, and its only one,
//   - no question over UDP without an answer, but for those that the counters say were
//     dropped,
//   - no kind of polite client that lost more than 2 % of its questions during floods of one
//     kind or between floods: without an answer after five seconds, or with an error, as when
//     a search is given up after a second. This is not judged with the race detector, where
//     floods are slower too, and needs a machine that has nothing else to do,
//   - no more memory, goroutines and sockets than in the first half, or after the first ten
//     minutes, but for some that vary.
//
// It is no part of go test: it needs the tag soak and a binary. With less than ten minutes,
// floods, stalls and the times between them are shorter.
//
//	make soak                           # ten minutes, with the race detector
//	make soak SOAKTIME=90s
//	make soak RACE=no SOAKTIME=1h       # the plain server, without the cloud plugins
package soak
