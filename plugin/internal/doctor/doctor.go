package doctor

import (
	"context"
	"sync"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

// The time that all checks have together, and each of them. Checks that wait for others' data end a little later.
const (
	wholeTime = 9500 * time.Millisecond
	checkTime = 8 * time.Second
)

// examination examines one thing.
type examination struct {
	name string
	run  func(context.Context, *patient.Patient) Result
}

// examinations are all checks, in the order in which they are printed.
var examinations = []examination{
	{"rights", rights},
	{"service", service},
	{"zone", zone},
	{"corefile", corefileCheck},
	{"loop", loop},
	{"workloads", workloads},
	{"pods", podsCheck},
	{"replies", replies},
	{"data", data},
	{"upstreams", upstreamsCheck},
	{"resolver", resolver},
	{"questions", questionsCheck},
	{"denials", denials},
	{"sockets", sockets},
	{"drops", drops},
	{"memory", memory},
}

// Run makes all checks at the same time. An error says that nothing can be examined.
func Run(ctx context.Context, o patient.Options) (*Report, error) {
	ctx, cancel := context.WithTimeout(ctx, wholeTime)
	defer cancel()
	p, err := patient.New(ctx, o)
	if err != nil {
		return nil, err
	}
	r := &Report{Results: make([]Result, len(examinations))}
	var all sync.WaitGroup
	for i, c := range examinations {
		all.Go(func() {
			r.Results[i] = c.within(ctx, p)
			r.Results[i].Check = c.name
		})
	}
	all.Wait()
	sayOnce(r.Results)
	if s, err := p.Service(); err == nil {
		r.Server = s.Namespace + "/" + s.Name
	}
	r.Exit = exit(r.Results)
	return r, nil
}

// within makes a check, which is given up when its time is over.
func (c examination) within(ctx context.Context, p *patient.Patient) Result {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	done := make(chan Result, 1)
	go func() { done <- c.run(ctx, p) }()
	select {
	case r := <-done:
		return r
	case <-ctx.Done():
		return unknown("run it again, nearer to the cluster", "not told within %v", checkTime)
	}
}
