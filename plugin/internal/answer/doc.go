// Package answer makes the answer to a question about a cluster. Package resolve finds what
// a name stands for; this package decides, in one place, which records it has, and passes
// them to one of two sinks. One sink makes records, for the plugin chain and for transfers;
// the other writes wire form after the question of a message, for the sockets. Zones whose
// names another function locates get their answers from the same visit (LookupBy).
//
//	resolve.Match --visit--> records:   Lookup, RRset
//	                   `---> wire form: AppendWire, AppendCompleted
//
// An answer looks at no more endpoints than fit into it. The lists that this takes are
// cached on the node of a Service, for its lifetime.
//
// The rule not to break: only visit decides which records there are, so that both sinks
// agree.
package answer
