// Package completion completes names that clients search for, on both ways: for the chain,
// where the whole server can be asked, and for the sockets, where the snapshot has to do.
//
// Package searchpath walks the client's list by names alone. A [Completer] tells it which names
// there are, finds what the first one has, and answers with an alias to it. A name that the
// snapshot has is answered from it; one that only others can tell about is asked of the whole
// server, with the client's address and a size of our own, and a mark in the context keeps such
// a question from being completed itself.
//
// The rule not to break: one decision for a client and a name, whatever the type, the transport
// and the replica. Questions of one client for one name are asked once while they last, and nothing
// is remembered, so that replicas cannot differ.
package completion
