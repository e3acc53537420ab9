package cluster

import (
	"hash/maphash"

	"github.com/clusterdns/clusterdns/plugin/internal/radix"
)

// The seeds make the shape of the trees unpredictable, so that nobody can choose names that all
// end up in one leaf.
var seed, nameSeed = maphash.MakeSeed(), maphash.MakeSeed()

// Path returns a hash of the key. To hash the two texts one by one is faster than to write them to
// a maphash.Hash, which copies them.
func (k Key) Path() radix.Path {
	return radix.Path{Hi: maphash.String(seed, k.Namespace) + maphash.String(nameSeed, k.Name)}
}

// namespace is the name of a Namespace, as a key of a tree.
type namespace string

func (n namespace) Path() radix.Path { return radix.Path{Hi: maphash.String(seed, string(n))} }
