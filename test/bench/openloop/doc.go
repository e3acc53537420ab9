// Package openloop sends questions at a given rate whether or not they are answered, and
// measures how long each answer takes.
//
// A client that waits for answers before it asks again sends less just when the server is
// slow, and never sees how long a question sent on time would have waited. So a time counts
// from the moment when a question was due, even if it was sent later, until the kernel
// received the answer, even if it was read later. Questions are due at random, as from many
// independent clients: in a Poisson process.
//
// It exists on Linux only.
package openloop

import "time"

// Load is a load to send.
type Load struct {
	Server    string   // IPv4 address and port
	Questions [][]byte // DNS messages, asked in turn; their id is overwritten
	Rate      int      // questions per second
	Time      time.Duration
	Seed      uint64
}

// Result is the result of a load.
type Result struct {
	Sent, Unanswered int
	// Times are sorted. A question without an answer counts with Patience.
	Times []time.Duration
	// Late is how late the sender itself was, also sorted.
	Late []time.Duration
}

// Patience is how long Run waits for answers after the last question.
const Patience = 2 * time.Second
