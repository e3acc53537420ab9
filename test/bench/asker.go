package main

import (
	"context"
	"log"
	"slices"
	"sync"
	"time"

	"github.com/clusterdns/clusterdns/test/bench/oracle"
	"github.com/clusterdns/clusterdns/test/bench/queries"
)

// askInterval leads to 100 questions a second.
const askInterval = 10 * time.Millisecond

// asked has the numbers of answers.
type asked struct {
	asked, wrong, unanswered int
	slowest                  time.Duration
}

// asker asks a server the same questions over and over, at a fixed rate whether or not it
// answers.
type asker struct {
	address   string
	oracle    *oracle.Oracle
	questions []queries.Question
	cancel    context.CancelFunc
	wg        sync.WaitGroup

	mu    sync.Mutex
	count asked
}

func startAsker(ctx context.Context, address string, o *oracle.Oracle, questions []queries.Question) *asker {
	ctx, cancel := context.WithCancel(ctx)
	a := &asker{address: address, oracle: o, questions: questions, cancel: cancel}
	a.wg.Go(func() { a.run(ctx) })
	return a
}

// stop stops the asker and waits for outstanding answers.
func (a *asker) stop() asked {
	a.cancel()
	a.wg.Wait()
	return a.count
}

func (a *asker) run(ctx context.Context) {
	ticker := time.NewTicker(askInterval)
	defer ticker.Stop()
	// An answer that is outstanding at the end is still waited for.
	asking := context.WithoutCancel(ctx)
	for i := 0; ; i++ {
		q := a.questions[i%len(a.questions)]
		a.wg.Go(func() { a.ask(asking, q) })
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// ask uses a socket of its own, so that a late answer delays no other.
func (a *asker) ask(ctx context.Context, q queries.Question) {
	want := a.oracle.Lookup(q.Name, q.Type)
	began := time.Now()
	got, err := askOnce(ctx, a.address, q)
	took := time.Since(began)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count.asked++
	a.count.slowest = max(a.count.slowest, took)
	switch {
	case err != nil:
		a.count.unanswered++
		log.Printf("no answer: %s: %v", q, err)
	case got.Rcode != want.Rcode || !slices.Equal(got.Data, want.Data):
		a.count.wrong++
		log.Printf("wrong answer: %s: %s, want %s", q, show(got), show(want))
	}
}
