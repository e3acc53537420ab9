// Package xfr sends zones to secondaries: AXFR (RFC 5936), IXFR (RFC 1995) and NOTIFY (RFC
// 1996). It works around CoreDNS's plugin transfer, which sends the messages and decides
// who may have them.
//
//	secondary --AXFR, IXFR--> secondaryTracker --> transfer --> Primary.Transfer
//	                              `- journal: which checkpoint was sent to whom -'
//	store --checkpoint--> Notifier --NOTIFY--> each secondary, on its own
//
// A Primary belongs to one server block. Handlers iterate over the records of its zones
// (Zones); this package does so for the zones of a cluster. The difference between two
// checkpoints comes from iterating twice over what changed.
//
// The rule not to break: a transfer shows one checkpoint from beginning to end, and a
// secondary gets a difference only from a checkpoint that this very Primary has sent to it.
package xfr
