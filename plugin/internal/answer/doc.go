// Package answer makes the answer to a question about a cluster. What a name stands for is
// found by package resolve; here it is decided which records there are, once, and they are
// told to one of two sinks: one makes records, for the chain of plugins and for transfers,
// the other writes them behind the question of a message, for the sockets. Zones whose names
// are found in another way have answers from the same visit (LookupBy).
//
//	resolve.Match --visit--> records: Lookup, RRset
//	                  `----> wire form: AppendWire, AppendCompleted
//
// An answer looks at no more endpoints than fit into it. What that takes is kept on the
// node of a Service and goes with it.
package answer
