// Package resolve finds what a name stands for in a snapshot of a cluster, as data. It
// makes no records and knows no DNS messages.
//
// A [View] is what one server block shows of a snapshot: its origins, TTL and
// policies. [View.Locate] decides existence before type: a name without a [Match] is
// NXDOMAIN, and a name that only has names below it (an empty non-terminal, RFC 8020) has
// one. What records there are is told by package answer.
package resolve
