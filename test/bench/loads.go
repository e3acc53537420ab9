package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/clusterdns/clusterdns/test/bench/dnsperf"
	"github.com/clusterdns/clusterdns/test/bench/proc"
	"github.com/clusterdns/clusterdns/test/bench/queries"
	"github.com/clusterdns/clusterdns/test/bench/server"
)

// fleet is all servers, running. What is not asked costs next to nothing, and
// so each can be measured right after the other.
type fleet struct {
	*bench
	processes []*server.Process
	wrong     map[string]int // answers, by server
	miscount  map[string]int // loads after which the metrics were wrong
}

func (b *bench) startFleet(ctx context.Context) (*fleet, error) {
	f := &fleet{bench: b, wrong: map[string]int{}, miscount: map[string]int{}}
	for _, kind := range b.kinds {
		p, err := b.startServer(ctx, kind)
		if err != nil {
			f.stop()
			return nil, err
		}
		f.processes = append(f.processes, p)
	}
	for _, p := range f.processes {
		if _, err := proc.AwaitQuiet(ctx, p.PID); err != nil {
			f.stop()
			return nil, err
		}
	}
	return f, nil
}

func (f *fleet) stop() {
	for _, p := range f.processes {
		p.Kill()
	}
}

// startServer returns a server that is ready.
func (b *bench) startServer(ctx context.Context, kind server.Kind) (*server.Process, error) {
	dir, err := os.MkdirTemp(b.dir, kind.Name+"-")
	if err != nil {
		return nil, err
	}
	p, err := server.Start(kind, b.setup, dir)
	if err != nil {
		return nil, err
	}
	took, err := p.AwaitReady(ctx)
	if err != nil {
		p.Kill()
		return nil, err
	}
	log.Printf("%s is ready after %s", kind.Name, took.Round(time.Millisecond))
	return p, nil
}

func (b *bench) measureLoads(ctx context.Context) error {
	f, err := b.startFleet(ctx)
	if err != nil {
		return err
	}
	defer f.stop()
	for run := range b.runs {
		for _, set := range b.sets {
			log.Printf("run %d of %d: %s", run+1, b.runs, set.Name)
			if err := f.measureSet(ctx, run, set); err != nil {
				return err
			}
		}
	}
	for _, p := range f.processes {
		f.report.Add("wrong answers", p.Kind.Name, float64(f.wrong[p.Kind.Name]))
		if p.Kind.Corefile != nil {
			f.report.Add("loads after which the metrics miscounted", p.Kind.Name, float64(f.miscount[p.Kind.Name]))
		}
	}
	return nil
}

// measureSet begins with another server in each run.
func (f *fleet) measureSet(ctx context.Context, run int, set queries.Set) error {
	for i := range f.processes {
		p := f.processes[(i+run)%len(f.processes)]
		if !p.Kind.Names && set.Name != f.sets[0].Name {
			continue // its answer does not depend on the question
		}
		if err := f.measureServer(ctx, p, run, set); err != nil {
			return fmt.Errorf("%s: %s: %w", p.Kind.Name, set.Name, err)
		}
	}
	return nil
}

func (f *fleet) measureServer(ctx context.Context, p *server.Process, run int, set queries.Set) error {
	load := dnsperf.Load{Server: p.DNS, File: f.files[set.Name], Mode: "udp", Time: time.Duration(f.seconds) * time.Second}
	if run == 0 {
		if p.Kind.Names {
			f.wrong[p.Kind.Name] += f.checkAnswers(ctx, p.Kind.Name, p.DNS, set)
		}
		warm := load
		warm.Once = true
		if _, err := dnsperf.Run(ctx, warm); err != nil {
			return err
		}
	}
	top, err := f.runLoad(ctx, p, set, load)
	if err != nil {
		return err
	}
	f.report.Add(set.Title+": CPU at saturation, µs/query", p.Kind.Name, top.cost)
	f.report.Add(set.Title+": top load, queries/s", p.Kind.Name, top.Rate)
	load.Rate = f.rate
	fixed, err := f.runLoad(ctx, p, set, load)
	if err != nil {
		return err
	}
	f.report.Add(fmt.Sprintf("%s: CPU at %d/s, µs/query", set.Title, f.rate), p.Kind.Name, fixed.cost)
	if fixed.Rate < 0.95*float64(f.rate) {
		f.note("%s: %s answered %.0f/s when asked %d/s", set.Title, p.Kind.Title, fixed.Rate, f.rate)
	}
	return nil
}

// loaded is what a load cost.
type loaded struct {
	dnsperf.Result
	cost float64 // microseconds of CPU per answer
}

// runLoad measures the server's CPU time, and compares what its metrics say
// with what was sent.
func (f *fleet) runLoad(ctx context.Context, p *server.Process, set queries.Set, load dnsperf.Load) (loaded, error) {
	counts, err := f.readCounts(ctx, p)
	if err != nil {
		return loaded{}, err
	}
	before, err := proc.ReadTicks(p.PID)
	if err != nil {
		return loaded{}, err
	}
	result, err := dnsperf.Run(ctx, load)
	if err != nil {
		return loaded{}, err
	}
	after, err := proc.ReadTicks(p.PID)
	if err != nil {
		return loaded{}, err
	}
	f.judge(ctx, p, set, counts, result)
	return loaded{result, float64((after - before).Microseconds()) / float64(result.Completed)}, nil
}

func (f *fleet) readCounts(ctx context.Context, p *server.Process) (server.Counts, error) {
	if p.Kind.Corefile == nil {
		return server.Counts{}, nil
	}
	return p.ReadCounts(ctx)
}

// judge looks for what makes a figure worthless.
func (f *fleet) judge(ctx context.Context, p *server.Process, set queries.Set, before server.Counts, result dnsperf.Result) {
	if codes := set.Rcodes(f.oracle); p.Kind.Names {
		for code, n := range result.Rcodes {
			if !codes[code] {
				f.problem("%s: %s: %d answers %s", p.Kind.Name, set.Name, n, code)
				f.wrong[p.Kind.Name] += n
			}
		}
	}
	if p.Kind.Corefile == nil {
		return
	}
	if err := awaitCounts(ctx, p, before, result.Sent); err != nil {
		f.problem("%s: %s: %v", p.Kind.Name, set.Name, err)
		f.miscount[p.Kind.Name]++
	}
}

// countTimeout is how long a server may take to count what it has answered.
const countTimeout = 3 * time.Second

func awaitCounts(ctx context.Context, p *server.Process, before server.Counts, sent int) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, countTimeout, true, func(ctx context.Context) (bool, error) {
		now, err := p.ReadCounts(ctx)
		if err != nil {
			last = err
			return false, nil
		}
		last = now.Since(before).Check(sent)
		return last == nil, nil
	})
	if err != nil {
		return last
	}
	return nil
}
