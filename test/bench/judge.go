package main

import (
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/clusterdns/clusterdns/test/bench/dnsperf"
	"github.com/clusterdns/clusterdns/test/bench/queries"
	"github.com/clusterdns/clusterdns/test/bench/server"
)

// judge looks for signs that a figure is worthless.
func (f *fleet) judge(ctx context.Context, p *server.Process, set queries.Set, before server.Counts, result dnsperf.Result) {
	if codes := set.Rcodes(f.oracle); p.Kind.Names {
		for code, n := range result.Rcodes {
			if !codes[code] {
				f.problem("%s: %s: %d answers %s", p.Kind.Name, set.Name, n, code)
				f.wrong[p.Kind.Name] += n
			}
		}
	}
	f.judgeCounts(ctx, p, set, before, result.Sent)
}

func (f *fleet) judgeCounts(ctx context.Context, p *server.Process, set queries.Set, before server.Counts, sent int) {
	if p.Kind.Corefile == nil {
		return
	}
	if err := awaitCounts(ctx, p, before, sent); err != nil {
		f.problem("%s: %s: %v", p.Kind.Name, set.Name, err)
		f.miscount[p.Kind.Name]++
	}
}

// countTimeout is how long a server may take to count its answers.
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
