// Package xfr gives zones to secondaries: AXFR (RFC 5936), IXFR (RFC 1995) and NOTIFY
// (RFC 1996), around CoreDNS's plugin transfer, which sends the messages and knows who may
// have them.
//
//	secondary --AXFR, IXFR--> secondaryTracker --> transfer --> Primary.Transfer
//	                            `- journal: which checkpoint was sent to whom -'
//	store --checkpoint--> notifier --NOTIFY--> each secondary, on its own
//
// A Primary belongs to one server block. What is in its zones is what handlers walk over
// (Zones); those of a cluster are walked over here. The difference of two checkpoints is that
// of two walks over what changed.
// A transfer shows one checkpoint from its beginning to its end, and a secondary gets a
// difference only from a checkpoint that this very Primary has sent to it.
package xfr
