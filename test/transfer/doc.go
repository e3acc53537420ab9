// Package transfer tests zone transfers with real secondaries: Knot DNS, BIND and NSD, of the
// Debian packages knot, bind9 and nsd, and CoreDNS. Everything is a process of its own, as servers are that
// make up a zone together: the API server whose objects change, one or two
// servers of ours, and the secondary, all of them on the loopback device.
//
//	go test -v ./test/transfer
//
// The secondary is told of changes and comes for them; a test waits until it has
// what a client sees that transfers the zone from our server, record by record,
// and reads from the secondary's log how it got there.
package transfer
