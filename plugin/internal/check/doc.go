// Package check judges a Corefile without starting a server: nothing listens, nothing connects.
//
// - [Corefile] has CoreDNS read the Corefile and set its plugins up, as at a start, and ends before
// anything is opened ([rehearse]). So an error is the one that a start would end with.
// - What our own plugins say of the Corefile at a start is taken from there: their warnings, and the
// reasons why the sockets would not answer ([fastpath.Shortfalls]).
// - Rules look for what starts but surprises. Each is a function of one server block, in the table
// [rules].
//
// The rule not to break: a rule must be sure. A Corefile that does what its writer expects has no
// warning, so that a CI job may fail for each.
package check
