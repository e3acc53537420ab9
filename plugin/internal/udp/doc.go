// Package udp answers questions from UDP sockets of its own, which it opens beside
// CoreDNS's own socket on the same address. Package reply decides how to answer a packet.
// CoreDNS gets the questions that reply hands over.
//
//	packet --> reply.Responder --> answer
//	             |-- anything else --> workers --> Backend.Handler (CoreDNS) --> answer
//	             `-- an outside name behind a cache --> Backend.Handler, until it calls WillBlock
//
// A [Listener] belongs to the process, not to an instance of CoreDNS: a reload replaces the
// [Backend] that it serves and closes no socket. There are two ways to make the kernel
// deliver packets to our sockets. If CoreDNS's own socket is bound to the wildcard address,
// ours are bound to the machine's addresses, which the kernel prefers. If it is bound to
// one address, ours is bound to the same address, and a BPF program sends all packets of
// the group to it. When our sockets close, CoreDNS's own gets the packets again.
package udp
