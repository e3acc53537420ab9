package server

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/clusterdns/clusterdns/test/bench/proc"
)

// LiveHeap is what a garbage collection leaves. The requests themselves make
// garbage, so the least of several is nearest to the truth.
func (p *Process) LiveHeap(ctx context.Context) (float64, error) {
	var least float64
	for range 5 {
		if _, err := p.get(ctx, p.Profile, "/debug/pprof/heap?gc=1"); err != nil {
			return 0, err
		}
		metrics, err := p.get(ctx, p.Metrics, "/metrics")
		if err != nil {
			return 0, err
		}
		now, err := parseMetric(metrics, "go_memstats_heap_alloc_bytes")
		if err != nil {
			return 0, err
		}
		if least == 0 || now < least {
			least = now
		}
	}
	return least, nil
}

// parseMetric adds up the values that a metric has by its labels.
func parseMetric(text, name string) (float64, error) {
	sum, found := 0.0, false
	for line := range strings.Lines(text) {
		rest, ok := strings.CutPrefix(line, name)
		if !ok || !strings.HasPrefix(rest, " ") && !strings.HasPrefix(rest, "{") {
			continue
		}
		text := strings.TrimSpace(rest[strings.LastIndex(rest, "}")+1:])
		value, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return 0, fmt.Errorf("metric %s: %w", name, err)
		}
		sum += value
		found = true
	}
	if !found {
		return 0, fmt.Errorf("no metric %s", name)
	}
	return sum, nil
}

// Counts are how many questions a server says it has had. Both counters must
// agree with each other and with what was asked.
type Counts struct {
	Requests, Durations int // coredns_dns_requests_total, coredns_dns_request_duration_seconds_count
	Dropped             int // by the server itself, and counted by it
	Overflowed          int // by the kernel, since the server did not fetch them
}

// droppedMetric counts what our own sockets throw away under overload.
const droppedMetric = "coredns_clusterdns_udp_dropped_total"

// ReadCounts reads the metrics. Those that do not exist yet are zero.
func (p *Process) ReadCounts(ctx context.Context) (c Counts, err error) {
	text, err := p.get(ctx, p.Metrics, "/metrics")
	if err != nil {
		return c, err
	}
	for name, to := range map[string]*int{
		"coredns_dns_requests_total":                 &c.Requests,
		"coredns_dns_request_duration_seconds_count": &c.Durations,
		droppedMetric: &c.Dropped,
	} {
		if value, err := parseMetric(text, name); err == nil {
			*to = int(value)
		}
	}
	number, err := strconv.Atoi(port(p.DNS))
	if err != nil {
		return c, err
	}
	c.Overflowed, err = proc.ReadDrops(number)
	return c, err
}

// Since is what has been counted since.
func (c Counts) Since(before Counts) Counts {
	return Counts{
		Requests: c.Requests - before.Requests, Durations: c.Durations - before.Durations,
		Dropped: c.Dropped - before.Dropped, Overflowed: c.Overflowed - before.Overflowed,
	}
}

// Check compares with the number of questions that were sent.
func (c Counts) Check(sent int) error {
	want := sent - c.Dropped - c.Overflowed
	if c.Requests == want && c.Durations == want {
		return nil
	}
	return fmt.Errorf("%d questions sent, %d dropped by the server, %d by the kernel: requests_total grew by %d, the durations by %d, want %d",
		sent, c.Dropped, c.Overflowed, c.Requests, c.Durations, want)
}
