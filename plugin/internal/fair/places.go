package fair

import "sync"

// generosity is how many places a client may have for each free one. A single client gets
// two thirds of all, two clients get two fifths each, and so on: at any time some are free
// for another client (Choudhury and Hahne, "Dynamic queue length thresholds in a
// shared-memory packet switch", 1998).
const generosity = 2

// Places are slots that clients occupy for a time, for instance while questions wait for an
// upstream. They are safe for concurrent use.
type Places struct {
	mu    sync.Mutex
	limit int
	taken int
	held  map[Client]int // places by client, for clients with any
}

// NewPlaces returns a number of free places.
func NewPlaces(limit int) *Places {
	return &Places{limit: limit, held: map[Client]int{}}
}

// Take takes a place for a client. It reports false if the client must not have another.
func (p *Places) Take(c Client) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	held := p.held[c]
	if held >= generosity*(p.limit-p.taken) {
		return false
	}
	p.held[c] = held + 1
	p.taken++
	return true
}

// Leave releases a place of a client.
func (p *Places) Leave(c Client) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken--
	if p.held[c]--; p.held[c] == 0 {
		delete(p.held, c)
	}
}
