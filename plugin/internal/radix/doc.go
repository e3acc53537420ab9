// Package radix holds persistent radix trees: sets of keys with values, of which a copy
// costs nothing and does not change when the original does. A change copies the path to
// what it changes and shares the rest with the tree before it.
//
// A [Tree] leads to its entries by a [Path]: a hash of the key, or an address. An
// [AddrIndex] finds things by address, and tells whether any address lies in a prefix.
// [Differing] compares two trees at the cost of what they do not share.
package radix
