package fair

import (
	"net/netip"
	"testing"

	"pgregory.net/rapid"
)

// takeAll takes as many places as a client may have.
func takeAll(p *Places, c Client) (n int) {
	for p.Take(c) {
		n++
	}
	return n
}

// A client alone gets most places, and others that come later get theirs.
func TestB7PlacesForNewcomers(t *testing.T) {
	p := NewPlaces(1000)
	if n := takeAll(p, 1); n < 600 || n > 700 {
		t.Errorf("a client alone has %d of 1000 places", n)
	}
	for c := Client(2); c < 5; c++ {
		if n := takeAll(p, c); n < 20 {
			t.Errorf("client %d finds %d places", c, n)
		}
	}
}

// While clients come and go, all of those who ask have the same in the end.
func TestB7PlacesAreShared(t *testing.T) {
	const limit, clients = 1000, 4
	p := NewPlaces(limit)
	held := map[Client]int{1: takeAll(p, 1)}
	for round := range 10_000 {
		for c := range Client(clients) {
			if p.Take(c) {
				held[c]++
			}
		}
		if leaves := Client(round % clients); held[leaves] > 0 {
			p.Leave(leaves)
			held[leaves]--
		}
	}
	for c := range Client(clients) {
		if want := generosity * limit / (1 + generosity*clients); held[c] < want-2 || held[c] > want+2 {
			t.Errorf("client %d has %d places, want %d", c, held[c], want)
		}
	}
}

// There are never more places taken than there are, and nothing is remembered of clients that
// have none.
func TestPlacesAreCounted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(0, 20).Draw(t, "limit")
		p, held, taken := NewPlaces(limit), map[Client]int{}, 0
		t.Repeat(map[string]func(*rapid.T){
			"take": func(t *rapid.T) {
				c := Client(rapid.IntRange(1, 5).Draw(t, "client"))
				may := held[c] < generosity*(limit-taken)
				if p.Take(c) != may {
					t.Fatalf("client with %d of %d taken: want %t", held[c], taken, may)
				}
				if may {
					held[c]++
					taken++
				}
			},
			"leave": func(t *rapid.T) {
				c := Client(rapid.IntRange(1, 5).Draw(t, "client"))
				if held[c] == 0 {
					t.Skip() // a client without a place cannot leave one
				}
				p.Leave(c)
				held[c]--
				taken--
			},
			"": func(t *rapid.T) {
				if p.taken != taken || taken > limit || len(p.held) > taken {
					t.Fatalf("%d taken by %d clients, want %d of %d", p.taken, len(p.held), taken, limit)
				}
			},
		})
	})
}

func TestClientOf(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{"10.0.0.1", "10.0.0.1", true},
		{"10.0.0.1", "10.0.0.2", false},
		{"10.0.0.1", "::ffff:10.0.0.1", true},
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"::1", "0.0.0.1", false},
	} {
		if same := ClientOf(netip.MustParseAddr(tc.a)) == ClientOf(netip.MustParseAddr(tc.b)); same != tc.same {
			t.Errorf("%s and %s: one client %t, want %t", tc.a, tc.b, same, tc.same)
		}
	}
}
