// Package dnsname parses, folds and compares domain names: in wire form (RFC 1035 3.1), in
// presentation form (RFC 1035 5.1), and as names of addresses (RFC 1035 3.5, RFC 3596 2.5).
// Names that differ in letter case only are the same (RFC 4343). The package imports
// nothing but the standard library.
//
// A [Name] has memory of its own. A [WireName] parses into the same memory again and again,
// for a server that answers without allocating. An [Origin] is the name of a zone.
//
// The rule not to break: nothing may keep a reference into a WireName beyond its next use.
package dnsname
