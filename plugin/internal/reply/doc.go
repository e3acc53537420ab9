// Package reply decides how to answer one packet, without a socket: it parses the question
// in place, chooses the server block, and writes the answer from the snapshot. It allocates
// nothing per packet.
//
// The rule not to break: our answer is the one that CoreDNS would give. A question whose
// answer might differ is handed over. doc/differences.md lists the few exceptions, which
// are about EDNS. A packet that is not a question is never answered.
package reply
