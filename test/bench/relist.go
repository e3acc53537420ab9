package main

import (
	"context"
	"errors"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/proc"
	"github.com/clusterdns/clusterdns/test/bench/queries"
)

// everyType are the query types for each name.
var everyType = []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV}

const (
	freshPoll = 2 * time.Millisecond
	// freshTimeout allows for clients that wait half a minute before they ask an API server
	// again.
	freshTimeout = 3 * time.Minute
	// steadyEach is how many questions of a set are repeated.
	steadyEach = 7
)

// measureRelist takes away the API server and its history, and measures the cost of a new
// list of all objects.
func (l *life) measureRelist(ctx context.Context) error {
	before, err := proc.ReadUsage(l.p.ID())
	if err != nil {
		return err
	}
	if err := l.beginPeak(); err != nil {
		return err
	}
	asker := startAsker(ctx, l.p.DNS, l.oracle, l.steadyQuestions())
	err = l.relist(ctx)
	asked := asker.stop()
	if err != nil {
		return err
	}
	after, err := proc.ReadUsage(l.p.ID())
	if err != nil {
		return err
	}
	l.addPeak("relist", after.Memory)
	l.addBytes("RSS after the relist", after.RSS)
	l.addBytes("relist: read", after.Read-before.Read)
	l.add("relist: CPU, s", after.CPU.Since(before.CPU).Used.Seconds())
	l.add("relist: wrong answers", float64(asked.wrong))
	l.add("relist: no answer", float64(asked.unanswered))
	l.add("relist: slowest answer, ms", float64(asked.slowest)/float64(time.Millisecond))
	return nil
}

func (b *bench) steadyQuestions() []queries.Question {
	var all []queries.Question
	for _, set := range b.steady() {
		all = append(all, set.Pick(steadyEach)...)
	}
	return all
}

func (l *life) relist(ctx context.Context) error {
	if err := l.cluster.Compact(ctx); err != nil {
		return err
	}
	if err := l.cluster.RestartAPIServer(ctx); err != nil {
		return err
	}
	up := time.Now()
	if err := l.awaitFresh(ctx); err != nil {
		return err
	}
	l.add("relist: fresh after the API server is ready, s", time.Since(up).Seconds())
	_, err := proc.AwaitQuiet(ctx, l.p.ID())
	return err
}

// awaitFresh waits until the server has seen a change of each kind of object.
func (l *life) awaitFresh(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, l.removeFresh(ctx)) }()
	changes := []func(context.Context) (event, error){l.changeEndpoint, l.makeService}
	if l.setup.Verified {
		changes = append(changes, l.makePod)
	}
	var events []event
	for _, change := range changes {
		e, err := change(ctx)
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	for _, e := range events {
		if err := l.dns.await(ctx, freshTimeout, freshPoll, e); err != nil {
			return err
		}
	}
	return nil
}
