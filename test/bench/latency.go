package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/bench/openloop"
	"github.com/clusterdns/clusterdns/test/bench/queries"
	"github.com/clusterdns/clusterdns/test/bench/report"
	"github.com/clusterdns/clusterdns/test/bench/server"
)

// percentiles are the percentiles of the latency, by their names in the table.
var percentiles = []struct {
	name string
	p    float64
}{{"p50", 50}, {"p99", 99}, {"p99.9", 99.9}}

// mostLate is how late a question may be sent for its latency to count as the server's.
const mostLate = time.Millisecond

// measureLatencies asks every server at the same rate, because a latency means nothing
// without its load: half of stock's top load.
func (f *fleet) measureLatencies(ctx context.Context) error {
	for _, set := range f.sets {
		rate, err := f.latencyRate(ctx, set)
		if err != nil {
			return err
		}
		messages, err := pack(set)
		if err != nil {
			return err
		}
		load := openloop.Load{Questions: messages, Rate: rate, Time: f.loadTime()}
		for run := range f.runs {
			log.Printf("run %d of %d: latency, %s", run+1, f.runs, set.Name)
			load.Seed = uint64(run)
			err := f.each(run, set, func(p *server.Process) error { return f.measureLatency(ctx, p, set, load) })
			if err != nil {
				return err
			}
		}
	}
	if f.late > 0 {
		f.note("in %d of the measurements of latency a hundredth of the questions was sent more than %s late: "+
			"the machine had other things to do, and these latencies are not the servers'", f.late, mostLate)
	}
	return nil
}

// latencyRate returns half of stock's top load, or of the first server's if stock is not
// measured. It measures the top load if needed.
func (f *fleet) latencyRate(ctx context.Context, set queries.Set) (int, error) {
	of := f.processes[0]
	for _, p := range f.processes {
		if p.Kind.Name == server.Stock {
			of = p
		}
	}
	top, ok := f.report.Median(topLoad(set), of.Kind.Name)
	if !ok {
		result, err := f.runLoad(ctx, of, set, f.load(of, set))
		if err != nil {
			return 0, err
		}
		top = result.Rate
	}
	rate := max(1, int(top/2))
	f.note("%s: latencies are those at %d queries/s, half of the top load of %s", set.Title, rate, of.Kind.Title)
	return rate, nil
}

// pack returns the messages that dnsperf would send.
func pack(set queries.Set) ([][]byte, error) {
	messages := make([][]byte, len(set.Questions))
	for i, q := range set.Questions {
		query := new(dns.Msg).SetQuestion(q.Name, q.Type)
		query.SetEdns0(checkEDNS, false)
		var err error
		if messages[i], err = query.Pack(); err != nil {
			return nil, fmt.Errorf("%s: %w", q, err)
		}
	}
	return messages, nil
}

func (f *fleet) measureLatency(ctx context.Context, p *server.Process, set queries.Set, load openloop.Load) error {
	load.Server = p.DNS
	if err := f.refill(ctx, p, set); err != nil {
		return err
	}
	counts, err := f.readCounts(ctx, p)
	if err != nil {
		return err
	}
	result, err := openloop.Run(ctx, load)
	if err != nil {
		return err
	}
	for _, percentile := range percentiles {
		took := report.Percentile(result.Times, percentile.p)
		f.report.Add(fmt.Sprintf("%s: latency %s, µs", set.Title, percentile.name), p.Kind.Name, float64(took)/float64(time.Microsecond))
	}
	f.report.Add(set.Title+": without an answer, %", p.Kind.Name, 100*float64(result.Unanswered)/float64(result.Sent))
	if report.Percentile(result.Late, 99) > mostLate {
		f.late++
	}
	f.judgeCounts(ctx, p, set, counts, result.Sent)
	return nil
}
