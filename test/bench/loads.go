package main

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"time"

	"github.com/clusterdns/clusterdns/test/bench/dnsperf"
	"github.com/clusterdns/clusterdns/test/bench/proc"
	"github.com/clusterdns/clusterdns/test/bench/queries"
	"github.com/clusterdns/clusterdns/test/bench/server"
	"github.com/clusterdns/clusterdns/test/refcluster"
)

// fleet has all servers, running. A server without questions costs next to nothing, so each
// can be measured right after another.
type fleet struct {
	*bench
	processes []*server.Process
	wrong     map[string]int // wrong answers by server
	miscount  map[string]int // by server, loads after which its metrics were wrong
	late      int            // latencies for which the sender was late
}

func newFleet(b *bench) *fleet {
	return &fleet{bench: b, wrong: map[string]int{}, miscount: map[string]int{}}
}

func (b *bench) startFleet(ctx context.Context) (*fleet, error) {
	f := newFleet(b)
	if err := f.start(ctx, b.kinds); err != nil {
		f.stop()
		return nil, err
	}
	return f, nil
}

// start starts servers one after another, and waits until all are quiet.
func (f *fleet) start(ctx context.Context, kinds []server.Kind) error {
	for _, kind := range kinds {
		p, err := f.startServer(ctx, kind)
		if err != nil {
			return err
		}
		f.processes = append(f.processes, p)
		if err := f.checkFastPath(ctx, p); err != nil {
			return err
		}
	}
	return refcluster.Parallel(ctx, len(kinds), len(kinds), func(ctx context.Context, i int) error {
		_, err := proc.AwaitQuiet(ctx, f.processes[i].ID())
		return err
	})
}

// sockets is what the sockets of a build of ours do.
type sockets struct{ answers, handsOver bool }

var wantedSockets = map[string]sockets{
	server.Ours: {answers: true}, server.Chain: {},
	server.Before: {answers: true}, server.BeforeChain: {},
	server.Lines: {answers: true}, server.Top: {answers: true}, server.TopChain: {}, server.Handed: {handsOver: true},
}

// checkFastPath checks that each of our servers works as its column says.
func (f *fleet) checkFastPath(ctx context.Context, p *server.Process) error {
	want, ours := wantedSockets[p.Kind.Name]
	if !ours {
		return nil
	}
	fast, err := p.FastPath(ctx)
	switch {
	case err != nil:
		return err
	case want.answers && !fast.Found:
		f.note("%s: this build has no sockets of its own", p.Kind.Title)
	case want.answers != (fast.Listeners > 0):
		f.problem("%s: its own sockets answer at %d listeners", p.Kind.Name, fast.Listeners)
	case !want.answers && want.handsOver != fast.Reads:
		f.problem("%s: its own sockets hand questions over: %t", p.Kind.Name, fast.Reads)
	}
	return nil
}

func (f *fleet) stop() {
	for _, p := range f.processes {
		p.Kill()
	}
}

// startServer starts a server and waits until it is ready.
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

// measureFleet measures all servers side by side.
func (b *bench) measureFleet(ctx context.Context) error {
	f, err := b.startFleet(ctx)
	if err != nil {
		return err
	}
	defer f.stop()
	if err := f.prepare(ctx); err != nil {
		return err
	}
	if b.has(partCPU) {
		if err := f.measureLoads(ctx); err != nil {
			return err
		}
	}
	if b.has(partLatency) {
		if err := f.measureLatencies(ctx); err != nil {
			return err
		}
	}
	f.reportTallies("")
	return nil
}

func (f *fleet) reportTallies(prefix string) {
	for _, p := range f.processes {
		if p.Kind.Names {
			f.report.Add(prefix+"wrong answers", p.Kind.Name, float64(f.wrong[p.Kind.Name]))
		}
		if p.Kind.Corefile != nil {
			f.report.Add(prefix+"loads that the metrics miscounted", p.Kind.Name, float64(f.miscount[p.Kind.Name]))
		}
	}
}

// prepare compares answers, and asks every question once, as if the servers had run for
// long.
func (f *fleet) prepare(ctx context.Context) error {
	for _, set := range f.sets {
		err := f.each(0, set, func(p *server.Process) error {
			if p.Kind.Names {
				f.wrong[p.Kind.Name] += f.checkAnswers(ctx, p.Kind.Name, p.DNS, set)
			}
			return f.askAll(ctx, p, set)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// askAll asks every question of a set once.
func (f *fleet) askAll(ctx context.Context, p *server.Process, set queries.Set) error {
	load := f.load(p, set)
	load.Once = true
	_, err := dnsperf.Run(ctx, load)
	return err
}

// refill puts the outside names of a set into the server's cache, where they live for 30 s: the other
// servers have been measured since. Else a load would begin with questions to the upstream.
func (f *fleet) refill(ctx context.Context, p *server.Process, set queries.Set) error {
	if !set.HasOutside() {
		return nil
	}
	return f.askAll(ctx, p, set)
}

func (f *fleet) measureLoads(ctx context.Context) error {
	for run := range f.runs {
		for _, set := range f.sets {
			log.Printf("run %d of %d: load, %s", run+1, f.runs, set.Name)
			err := f.each(run, set, func(p *server.Process) error { return f.measureLoad(ctx, p, set) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// each measures all servers. Each run begins with another one.
func (f *fleet) each(run int, set queries.Set, measure func(*server.Process) error) error {
	for i := range f.processes {
		p := f.processes[(i+run)%len(f.processes)]
		if !p.Kind.Names && set.Name != f.sets[0].Name {
			continue // its answers do not depend on the question
		}
		if p.Kind.Set != "" && set.Name != p.Kind.Set {
			continue
		}
		if err := measure(p); err != nil {
			return fmt.Errorf("%s: %s: %w", p.Kind.Name, set.Name, err)
		}
	}
	return nil
}

func (b *bench) loadTime() time.Duration { return time.Duration(b.seconds) * time.Second }

// load returns a load of as many questions as are answered.
func (b *bench) load(p *server.Process, set queries.Set) dnsperf.Load {
	return dnsperf.Load{Server: p.DNS, File: b.files[set.Name], Mode: "udp", Time: b.loadTime()}
}

// topLoad returns the name of the row with the top load, half of which is the load for
// latencies.
func topLoad(set queries.Set) string { return set.Title + ": top load, queries/s" }

func (f *fleet) measureLoad(ctx context.Context, p *server.Process, set queries.Set) error {
	if err := f.refill(ctx, p, set); err != nil {
		return err
	}
	load := f.load(p, set)
	top, err := f.runLoad(ctx, p, set, load)
	if err != nil {
		return err
	}
	f.report.Add(saturation(set), p.Kind.Name, top.cost)
	f.report.Add(topLoad(set), p.Kind.Name, top.Rate)
	load.Rate = f.rate
	fixed, err := f.runLoad(ctx, p, set, load)
	if err != nil {
		return err
	}
	f.report.Add(fmt.Sprintf("%s: CPU at %d/s, µs/query", set.Title, f.rate), p.Kind.Name, fixed.cost)
	f.report.Add(fmt.Sprintf("%s: answered of %d/s", set.Title, f.rate), p.Kind.Name, math.Round(fixed.Rate))
	return nil
}

// loaded is the cost of a load.
type loaded struct {
	dnsperf.Result
	cost float64 // microseconds of CPU per answer
}

// runLoad measures the server's CPU time, and compares its metrics with the number of
// questions sent.
func (f *fleet) runLoad(ctx context.Context, p *server.Process, set queries.Set, load dnsperf.Load) (loaded, error) {
	counts, err := f.readCounts(ctx, p)
	if err != nil {
		return loaded{}, err
	}
	before, err := proc.ReadTicks(p.ID())
	if err != nil {
		return loaded{}, err
	}
	result, err := dnsperf.Run(ctx, load)
	if err != nil {
		return loaded{}, err
	}
	after, err := proc.ReadTicks(p.ID())
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
