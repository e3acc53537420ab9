// Package resolve finds what a name stands for in a snapshot of a cluster, as data. It
// makes no records and reads no DNS messages.
//
// A [View] is what one server block shows of a snapshot: its origins, TTL and policies.
// [View.Locate] returns a [Match], which decides existence before type: NoName means
// NXDOMAIN, and a name that only has names below it (an empty non-terminal, RFC 8020)
// exists. Package answer makes the records of a Match.
//
// The rule not to break: whether a name exists is decided here alone, for every transport
// and every form of an answer.
package resolve
