package cluster

import (
	"hash/maphash"

	"github.com/clusterdns/clusterdns/plugin/internal/radix"
)

// seed makes the shape of the trees unpredictable, so that nobody can choose names that all
// end up in one leaf.
var seed = maphash.MakeSeed()

// Path returns a hash of the key.
func (k Key) Path() radix.Path {
	var h maphash.Hash
	h.SetSeed(seed)
	h.WriteString(k.Namespace)
	h.WriteByte('.')
	h.WriteString(k.Name)
	return radix.Path{Hi: h.Sum64()}
}

// namespace is the name of a Namespace, as a key of a tree.
type namespace string

func (n namespace) Path() radix.Path { return radix.Path{Hi: maphash.String(seed, string(n))} }
