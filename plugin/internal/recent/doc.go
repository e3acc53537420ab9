// Package recent keeps what CoreDNS's cache has just answered, in wire form, for at most a
// second, so that the same question is answered where the socket is read.
//
// CoreDNS's cache stays the authority. A [Slot] takes CoreDNS's reply to one question if it
// came from that cache, a [Table] keeps it under all that the reply depends on, and
// [Reply.Append] gives it to another client, with the client's ID and letter case. The room has
// no clock and no socket: whoever calls it says what time it is.
//
// The rule not to break: what is given is what CoreDNS's cache would have given, at most a
// second before.
package recent
