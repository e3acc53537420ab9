// Package dnsname reads, folds and compares domain names: as clients send them, as
// people write them (RFC 1035 5.1), and as those of addresses. Letter case does not
// tell names apart (RFC 4343). The package stands on nothing but the standard library.
//
// A [Name] has memory of its own. A [WireName] is read into the same memory again and
// again, for a server that answers without allocating. An [Origin] is the name of a
// zone.
package dnsname
