// Package fastpath decides which questions the sockets of package udp answer, and hooks the
// sockets into CoreDNS.
//
// CoreDNS calls Config.UDPDecorateWriterFunc once for each UDP listener before it serves.
// Then an [Instance] makes the plan of the listener, from all server blocks of the
// Corefile: our sockets answer, or read and hand everything over, or stay closed. If they
// answer nothing, one log line says why.
//
// - They stay closed where CoreDNS does more with a packet than Server.ServeDNS, and where the environment
// variable says so.
// - They hand everything over where a plugin such as view selects the server block by more than the name.
// - They hand over the questions for a block of ours whose plugins ahead must see them. Package corefile
// decides that.
//
// For the other transports, the first handler of the chain answers what [Instance.HeadOf] says.
//
// The sockets belong to the process. A reload only changes what they serve.
//
// The rule not to break: if it is not certain that CoreDNS would give the same answer, hand
// the question over.
package fastpath
