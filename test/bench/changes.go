package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"time"

	"github.com/clusterdns/clusterdns/test/bench/churn"
	"github.com/clusterdns/clusterdns/test/bench/proc"
	"github.com/clusterdns/clusterdns/test/bench/report"
	"github.com/clusterdns/clusterdns/test/bench/server"
)

// changeTimeout is how long one change may take to be seen. It allows for an API server
// that has just been restarted.
const changeTimeout = time.Minute

// churnRates are rates of slice changes per second.
var churnRates = []int{0, 500}

// measureChanges measures the time between the API server's answer to a change and the
// server's first right answer. Each server runs alone, because otherwise all would receive
// every change.
func (b *bench) measureChanges(ctx context.Context) error {
	for run := range b.runs {
		for _, kind := range b.ofOneOptions() {
			log.Printf("run %d of %d: changes, %s", run+1, b.runs, kind.Name)
			if err := b.measureChangesOf(ctx, kind); err != nil {
				return fmt.Errorf("%s: changes: %w", kind.Name, err)
			}
		}
	}
	return nil
}

func (b *bench) measureChangesOf(ctx context.Context, kind server.Kind) (err error) {
	f := newFleet(b)
	defer f.stop()
	if err := f.start(ctx, []server.Kind{kind}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.removeFresh(ctx)) }()
	for _, rate := range churnRates {
		if err := f.measureAt(ctx, rate); err != nil {
			return err
		}
	}
	return nil
}

// measureAt measures while slices change at the given rate.
func (f *fleet) measureAt(ctx context.Context, rate int) error {
	p := f.processes[0]
	during := ""
	c := f.churn.Start(ctx, rate)
	defer c.Stop() //nolint:errcheck // only in the case of an error
	if rate > 0 {
		during = fmt.Sprintf(" during %d slice changes/s", rate)
		if err := f.measureChurn(ctx, c, during); err != nil {
			return err
		}
	}
	for _, timed := range []struct {
		what   string
		change func(context.Context) (event, error)
	}{{"Service to answer", f.makeService}, {"endpoint to answer", f.changeEndpoint}} {
		times, err := f.timeChanges(ctx, p, timed.change)
		if err != nil {
			return err
		}
		for _, percentile := range percentiles[:2] {
			took := report.Percentile(times, percentile.p)
			f.report.Add(fmt.Sprintf("%s%s, %s, ms", timed.what, during, percentile.name), p.Kind.Name, float64(took)/float64(time.Millisecond))
		}
	}
	return c.Stop()
}

// timeChanges makes changes one after another. The asking client has no pause, and takes
// CPU time from other processes.
func (f *fleet) timeChanges(ctx context.Context, p *server.Process, change func(context.Context) (event, error)) ([]time.Duration, error) {
	dns, err := newAwaiter(p.DNS)
	if err != nil {
		return nil, err
	}
	defer dns.close()
	times := make([]time.Duration, f.changes)
	for i := range times {
		e, err := change(ctx)
		if err != nil {
			return nil, err
		}
		began := time.Now()
		if err := dns.await(ctx, changeTimeout, 0, e); err != nil {
			return nil, err
		}
		times[i] = time.Since(began)
	}
	slices.Sort(times)
	return times, nil
}

// measureChurn measures the cost of the changes themselves, without questions.
func (f *fleet) measureChurn(ctx context.Context, c *churn.Churn, during string) error {
	p := f.processes[0]
	before, err := proc.ReadCPU(p.ID())
	if err != nil {
		return err
	}
	began, changesBefore := time.Now(), c.Done()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(f.loadTime()):
	}
	after, err := proc.ReadCPU(p.ID())
	if err != nil {
		return err
	}
	changes := float64(c.Done() - changesBefore)
	f.report.Add("slice changes made"+during+", 1/s", p.Kind.Name, changes/time.Since(began).Seconds())
	if changes > 0 {
		f.report.Add("CPU per slice change, µs", p.Kind.Name, float64(after.Since(before).Used.Microseconds())/changes)
	}
	return nil
}
