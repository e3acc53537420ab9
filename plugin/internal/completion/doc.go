// Package completion completes names that clients search for, on both ways: for the plugin
// chain, which can look names up in the whole server, and for the sockets, which have the
// snapshot only.
//
// Package searchpath walks through the client's search path by names alone. A [Completer]
// reports which names exist, gets the records of the first one, and answers with an alias
// to it. A name in the snapshot is answered from there. A name that only others can know is
// looked up in the whole server, with the client's address and an EDNS size of our own. A
// mark in the context keeps such a question from being completed itself.
//
// The rule not to break: one decision for a client and a name, whatever the type, the
// transport and the replica. Simultaneous questions of one client for one name share one
// look-up. Nothing is remembered beyond that, so that replicas cannot differ.
package completion
