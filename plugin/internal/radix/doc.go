// Package radix implements persistent radix trees: maps whose copies cost nothing and do
// not change with the original. A change copies the path to the changed entry and shares
// the rest with the previous tree.
//
// A [Tree] finds its entries by a [Path]: a hash of the key, or an address. An [AddrIndex]
// finds values by address, and reports whether any address lies in a prefix. [Differing]
// compares two trees at the cost of the parts that they do not share.
//
// The rule not to break: a node may be changed in place only by the transaction that made
// it.
package radix
