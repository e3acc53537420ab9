// Package fastpath decides what is answered at the sockets of package udp, and hooks them into
// CoreDNS.
//
// CoreDNS calls Config.UDPDecorateWriterFunc once for each UDP listener before it serves. Then an
// [Instance] makes the plan of the listener, from all server blocks of the Corefile: our sockets
// answer, or read and hand everything over, or stay closed. One log line says why they answer
// nothing.
//
//   - They stay closed where CoreDNS does more with a packet than Server.ServeDNS, and where
//     the environment says so.
//   - They hand everything over where a plugin such as view chooses the server block by more than the
//     name.
//   - They hand over the questions for a block of ours whose plugins ahead have to see them, which
//     package corefile knows.
//
// A reload changes what the sockets serve: they belong to the process.
package fastpath
