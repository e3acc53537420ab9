// Package udp answers questions from UDP sockets of its own, beside those of
// CoreDNS on the same address, and hands CoreDNS what it does not answer.
//
//	packet --parse in place--> zone.View.AppendWire --> reply
//	   |-- anything else --> Workers --> Backend.Handler (CoreDNS) --> reply
//	   `-- a name outside, behind a cache --> Backend.Handler, until it calls WillBlock
//
// A [Listener] belongs to the process, not to an instance of CoreDNS: a reload
// changes the [Backend] that it serves and closes no socket. Packets come to it
// because its sockets are bound to an address where CoreDNS's own is bound to all
// of them; or, on one and the same address, because a program in the kernel sends
// all packets of the group to it. When the last of its sockets closes, CoreDNS's
// gets them again.
//
// The rule not to break: an answer from here is the one that CoreDNS would give.
// What is not certain to be the same is handed over. A reply is never sent to what
// is not a question.
package udp
