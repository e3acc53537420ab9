// Package openloop sends questions at a given rate whether or not they are
// answered, and measures how long each answer took.
//
// A client that waits for answers before it asks again sends less just when the
// server is slow, and never sees how long a question sent on time would have
// waited. So times are counted from when a question was due, be it sent later
// or not; and to when the kernel received the answer, be it read later or not.
// Questions are due at random, as from many clients that know nothing of each
// other: in a Poisson process.
//
// It exists on Linux only.
package openloop

import "time"

// Load is what is to be sent.
type Load struct {
	Server    string   // IPv4 address and port
	Questions [][]byte // DNS messages, whose id is overwritten; asked in turn
	Rate      int      // questions per second
	Time      time.Duration
	Seed      uint64
}

// Result is what came of it.
type Result struct {
	Sent, Unanswered int
	// Times are sorted. A question without an answer counts with Patience.
	Times []time.Duration
	// Late is how far the sender itself was behind, also sorted.
	Late []time.Duration
}

// Patience is how long answers are waited for after the last question.
const Patience = 2 * time.Second
