package radix

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// spot is a key with a given path, so that a test can make paths collide.
type spot struct {
	way Path
	id  int
}

func (s spot) Path() Path { return s.way }

// drawSpot draws one of few paths, some of which differ in their last digits only.
func drawSpot(t *rapid.T) spot {
	ways := []Path{
		{}, {0, 1}, {1, 0}, {1, 1}, {0, 0xf0}, {0xf << 60, 0}, {0xf1 << 56, 0}, {0xf1 << 56, 0xff}, {^uint64(0), ^uint64(0)},
	}
	return spot{rapid.SampledFrom(ways).Draw(t, "way"), rapid.IntRange(0, 2*leafSize).Draw(t, "id")}
}

// A tree has what a map would have, and copies of it from before a change do not see the
// change.
func TestTreeAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var now Tree[spot, int]
		m := map[spot]int{}
		type frozen struct {
			tree    Tree[spot, int]
			content map[spot]int
		}
		var before []frozen
		for range rapid.IntRange(1, 6).Draw(t, "transactions") {
			id := new(TxnID)
			before = append(before, frozen{now, maps.Clone(m)})
			for range rapid.IntRange(0, 150).Draw(t, "changes") {
				k := drawSpot(t)
				if v := rapid.IntRange(-2, 9).Draw(t, "value"); v >= 0 {
					now.Put(id, k, v)
					m[k] = v
				} else {
					now.Remove(id, k)
					delete(m, k)
				}
			}
			checkTree(t, &now, m)
		}
		for _, b := range before {
			checkTree(t, &b.tree, b.content)
		}
	})
}

func checkTree(t *rapid.T, got *Tree[spot, int], want map[spot]int) {
	t.Helper()
	content := map[spot]int{}
	for k, v := range got.All() {
		if _, twice := content[k]; twice {
			t.Fatalf("%v is there twice", k)
		}
		content[k] = v
	}
	if !maps.Equal(content, want) || got.Len() != len(want) {
		t.Fatalf("%d entries, size %d, want %d: %v, want %v", len(content), got.Len(), len(want), content, want)
	}
	for range 10 {
		k := drawSpot(t)
		v, ok := got.Get(k)
		if w, found := want[k]; ok != found || v != w {
			t.Fatalf("get %v: %d %v, want %d %v", k, v, ok, w, found)
		}
		digits := rapid.IntRange(0, pathDigits).Draw(t, "digits")
		if covers(want, k.way, digits) != got.covers(k.way, digits) {
			t.Fatalf("covers %v, %d digits: want %v", k.way, digits, covers(want, k.way, digits))
		}
	}
}

func covers(m map[spot]int, p Path, digits int) bool {
	for k := range m {
		if k.way.hasPrefix(p, digits) {
			return true
		}
	}
	return false
}

func TestPathDigits(t *testing.T) {
	p := Path{0x0123456789abcdef, 0xfedcba9876543210}
	for i := range pathDigits {
		want := i
		if i >= pathDigits/2 {
			want = pathDigits - 1 - i
		}
		if got := p.digit(i); got != want {
			t.Errorf("digit %d is %d, want %d", i, got, want)
		}
		q := p
		if i < pathDigits/2 {
			q.Hi ^= 1 << (60 - 4*i)
		} else {
			q.Lo ^= 1 << (60 - 4*(i-pathDigits/2))
		}
		if !p.hasPrefix(q, i) || p.hasPrefix(q, i+1) {
			t.Errorf("prefixes that differ in digit %d", i)
		}
	}
}

// An emptied tree works like a new one: an inner node left behind would make covers report
// entries that are gone.
func TestTreeEmptied(t *testing.T) {
	var x Tree[spot, int]
	id := new(TxnID)
	for i := range 10 * leafSize {
		x.Put(id, spot{Path{uint64(i) << 40, uint64(i)}, i}, i)
	}
	for i := range 10 * leafSize {
		x.Remove(id, spot{Path{uint64(i) << 40, uint64(i)}, i})
		x.Remove(id, spot{Path{uint64(i) << 40, uint64(i)}, -1})
	}
	if x.root != nil || x.Len() != 0 || x.covers(Path{}, 0) {
		t.Errorf("root %v, size %d", x.root, x.Len())
	}
}

// An iteration ends when its reader ends it.
func TestTreeIterationEnds(t *testing.T) {
	var x Tree[spot, int]
	for i := range 10 * leafSize {
		x.Put(new(TxnID), spot{Path{Hi: uint64(i%3) << 60}, i}, i)
	}
	visited := 0
	for range x.All() {
		if visited++; visited == leafSize+1 {
			break
		}
	}
	if visited != leafSize+1 {
		t.Errorf("%d entries visited", visited)
	}
}

// A random iteration over the values of an address may begin with each of them, visits each once,
// and ends when its reader ends it.
func TestAddrIndexAtRandom(t *testing.T) {
	var x AddrIndex[int]
	const owners = 2 * leafSize
	for _, a := range []netip.Addr{netip.AddrFrom4([4]byte{10}), netip.AddrFrom16([16]byte{10})} {
		for ref := range owners {
			x.Add(new(TxnID), a, ref)
		}
		first := map[int]bool{}
		for range 100 * owners {
			var seen []int
			for ref := range x.AtRandom(a) {
				seen = append(seen, ref)
			}
			first[seen[0]] = true
			if slices.Sort(seen); len(slices.Compact(seen)) != owners {
				t.Fatalf("%v are visited", seen)
			}
		}
		if len(first) != owners {
			t.Errorf("%d of %d may be the first", len(first), owners)
		}
		visited := 0
		for range x.AtRandom(a) {
			if visited++; visited == leafSize {
				break
			}
		}
		if visited != leafSize {
			t.Errorf("%d visited", visited)
		}
	}
}

// numbered is an address with the number of a value that has it.
type numbered struct {
	addr netip.Addr
	ref  int
}

// One address may have more values than a leaf has room for.
func TestAddrIndexAgainstMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var x AddrIndex[int]
	m := map[numbered]bool{}
	for range 20 {
		id := new(TxnID)
		for range 200 {
			l := numbered{randomAddr(r), r.IntN(3 * leafSize)}
			if r.IntN(3) == 0 {
				x.Remove(id, l.addr, l.ref)
				delete(m, l)
			} else {
				x.Add(id, l.addr, l.ref)
				m[l] = true
			}
		}
		checkIndex(t, r, &x, m)
	}
}

// randomAddr returns one of few addresses, some of which have their first bits in common.
func randomAddr(r *rand.Rand) netip.Addr {
	a := netip.AddrFrom4([4]byte{10, byte(r.IntN(2)), byte(r.IntN(2) * 16), 1})
	if r.IntN(2) == 0 {
		return a
	}
	return netip.AddrFrom16([16]byte{0: 10, 1: byte(r.IntN(2)), 2: byte(r.IntN(2) * 16), 15: 1})
}

func checkIndex(t *testing.T, r *rand.Rand, x *AddrIndex[int], m map[numbered]bool) {
	t.Helper()
	if x.Len() != len(m) {
		t.Fatalf("size %d, want %d", x.Len(), len(m))
	}
	seen := map[numbered]bool{}
	for a, ref := range x.All() {
		seen[numbered{a, ref}] = true
	}
	if !maps.Equal(seen, m) {
		t.Fatalf("all: %v, want %v", seen, m)
	}
	for range 20 {
		a := randomAddr(r)
		got, want := map[int]bool{}, map[int]bool{}
		for ref := range x.At(a) {
			got[ref] = true
		}
		for l := range m {
			if l.addr == a {
				want[l.ref] = true
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("at %s: %v, want %v", a, got, want)
		}
		prefix := netip.PrefixFrom(a, 4*r.IntN(a.BitLen()/4+1))
		covered := false
		for l := range m {
			covered = covered || prefix.Contains(l.addr) || prefix.Contains(netip.AddrFrom16(l.addr.As16()))
		}
		if x.Covers(prefix) != covered {
			t.Fatalf("covers %s: want %v", prefix, covered)
		}
	}
}
