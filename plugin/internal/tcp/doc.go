// Package tcp answers the questions of TCP and TLS connections that CoreDNS has accepted.
//
//	octets --> input --> reply.Responder --> answers --> output
//	                       `-- anything else --> Server.Handler (CoreDNS), aside --> output
//
// CoreDNS serves the questions of a connection one after the other, so that one whose upstream is
// silent holds up all that follow. With the first question that reaches us, [Server.Take] reads on in
// CoreDNS's place: the goroutine that reads a connection answers what a Responder can, a batch at a
// time, and has CoreDNS asked aside for the rest. Answers leave as they are ready (RFC 7766 6.2.1.1).
//
// A [Crowd] ends idle connections where clients open more than the process bears.
//
// CoreDNS goes on counting the connection as its own, and has reads time out to end it. So Take never
// moves the time limit of reads to the future.
package tcp
