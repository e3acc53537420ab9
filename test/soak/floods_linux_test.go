//go:build soak

package soak

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/miekg/dns"

	kit "github.com/clusterdns/clusterdns/test/kit/flood"
)

const (
	// floodPeriod is the time between the beginnings of two floods, if there is time for
	// one of each kind, and one part in so many of it is flooded.
	floodPeriod = time.Minute
	floodPart   = 6
	// raceFactor is by how much slower floods are for a server with the race detector.
	raceFactor = 20
)

// flood is a way to be impolite to a listener.
type flood struct {
	name string
	kit.Flood
}

func always(name string, qtype uint16) func(int) (string, uint16) {
	return func(int) (string, uint16) { return name, qtype }
}

// each returns questions that differ from those of the last floods.
func each(format string) func(int) (string, uint16) {
	return func(i int) (string, uint16) { return fmt.Sprintf(format, int(time.Now().UnixMilli())+i), dns.TypeA }
}

var floods = []flood{
	{"cluster names", kit.Flood{Rate: 20_000, Question: always("fixed"+suffix+".", dns.TypeA)}},
	{"outside names, upstream dead", kit.Flood{Rate: 5000, Question: each("f%d." + deadOrigin)}},
	{"SRV of a big Service", kit.Flood{Rate: 5000, Question: always("_http._tcp."+crowdName+suffix+".", dns.TypeSRV)}},
	{"searched names, upstream dead", kit.Flood{Rate: 2000, Question: each("f%d." + deadOrigin[:len(deadOrigin)-1] + suffix + ".")}},
	{"TCP connections", kit.Flood{Connections: 500, Question: always("fixed"+suffix+".", dns.TypeA)}},
}

// noFlood is what the time between floods is called.
const noFlood = "none"

// weather says which flood there is.
type weather struct {
	mu   sync.Mutex
	name string
}

func (w *weather) set(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.name = name
}

func (w *weather) now() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.name
}

// flood sends floods of one kind after another, to two listeners at once, until the context
// ends.
func (w *weather) flood(ctx context.Context) (n int, err error) {
	period := min(floodPeriod, *duration/time.Duration(len(floods)))
	long := period / floodPart
	for ; ; n++ {
		if !pause(ctx, period-long) {
			return n, nil
		}
		f := floods[n%len(floods)]
		during, cancel := context.WithTimeout(ctx, long)
		w.set(f.name)
		var both sync.WaitGroup
		for _, to := range politeTo() {
			both.Go(func() {
				if e := f.run(during, to); e != nil {
					err = e
				}
			})
		}
		both.Wait()
		w.set(noFlood)
		cancel()
		if err != nil {
			return n, err
		}
	}
}

func (f flood) run(ctx context.Context, to string) error {
	if raced {
		f.Rate, f.Connections = f.Rate/raceFactor, f.Connections/raceFactor
	}
	return f.Run(ctx, to)
}
