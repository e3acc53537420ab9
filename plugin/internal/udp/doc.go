// Package udp answers questions from UDP sockets of its own, which it opens beside
// CoreDNS's own socket on the same address. It hands CoreDNS the questions that it
// does not answer.
//
//	packet --parse in place--> answer.AppendWire --> reply
//	   |-- anything else --> workers --> Backend.Handler (CoreDNS) --> reply
//	   `-- an outside name behind a cache --> Backend.Handler, until it calls WillBlock
//
// A [Listener] belongs to the process, not to an instance of CoreDNS: a reload
// replaces the [Backend] that it serves and closes no socket. There are two ways in
// which the kernel gives our sockets the packets. Where CoreDNS's own socket is bound
// to the wildcard address, ours are bound to the machine's addresses, which the kernel
// prefers. Where it is bound to one address, ours is bound to the same address, and a
// BPF program sends all packets of the group to it. When our sockets close, CoreDNS's
// own gets the packets again.
//
// The rule not to break: our answer is the one that CoreDNS would give. A question whose
// answer might differ is handed over. doc/differences.md lists the few exceptions, which
// are about EDNS. A packet that is not a question is never answered.
package udp
