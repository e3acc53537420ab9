package main

import (
	"context"
	"sync"
	"time"
)

// askInterval makes 100 questions a second.
const askInterval = 10 * time.Millisecond

// asked counts answers.
type asked struct {
	asked, wrong, unanswered int
	slowest                  time.Duration
}

// asker asks a server the same questions over and over, at a fixed rate whether
// or not it answers.
type asker struct {
	address   string
	questions []question
	cancel    context.CancelFunc
	wg        sync.WaitGroup

	mu    sync.Mutex
	count asked
}

func startAsker(ctx context.Context, address string, questions []question) *asker {
	ctx, cancel := context.WithCancel(ctx)
	a := &asker{address: address, questions: questions, cancel: cancel}
	a.wg.Go(func() { a.run(ctx) })
	return a
}

// stop waits for the answers that are due.
func (a *asker) stop() asked {
	a.cancel()
	a.wg.Wait()
	return a.count
}

func (a *asker) run(ctx context.Context) {
	ticker := time.NewTicker(askInterval)
	defer ticker.Stop()
	for i := 0; ; i++ {
		q := a.questions[i%len(a.questions)]
		a.wg.Go(func() { a.ask(q) })
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// ask uses a socket of its own: nobody waits behind an answer that is late.
func (a *asker) ask(q question) {
	began := time.Now()
	got, err := askOnce(a.address, q.qname)
	took := time.Since(began)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count.asked++
	a.count.slowest = max(a.count.slowest, took)
	switch {
	case err != nil:
		a.count.unanswered++
		logf("no answer: %s: %v", q.qname, err)
	case got != q.want:
		a.count.wrong++
		logf("wrong answer: %s: %q, want %q", q.qname, got, q.want)
	}
}

func askOnce(address, qname string) (string, error) {
	r, err := newResolver(address)
	if err != nil {
		return "", err
	}
	defer r.close()
	return r.ask(qname)
}
