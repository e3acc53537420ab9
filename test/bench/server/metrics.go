package server

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/clusterdns/clusterdns/test/bench/proc"
)

// LiveHeap returns the size of the heap after a garbage collection. The requests themselves
// make garbage, so it takes the least of several.
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
		now, found, err := parseMetric(metrics, "go_memstats_heap_alloc_bytes", "")
		if err != nil {
			return 0, err
		}
		if !found {
			return 0, errors.New("no metric of the heap")
		}
		if least == 0 || now < least {
			least = now
		}
	}
	return least, nil
}

// parseMetric returns the sum of a metric's values over its series. name may omit the
// namespace; labels are some labels of a series in the text's form, such as
// `outcome="dropped"`.
func parseMetric(text, name, labels string) (sum float64, found bool, err error) {
	for line := range strings.Lines(text) {
		series, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if at := strings.LastIndex(line, "} "); at >= 0 {
			series, value = line[:at], strings.TrimSpace(line[at+2:])
		}
		its, rest, _ := strings.Cut(series, "{")
		if !ok || !strings.HasSuffix(its, name) || !strings.Contains(rest, labels) {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, false, fmt.Errorf("metric %s: %w", name, err)
		}
		sum += n
		found = true
	}
	return sum, found, nil
}

// Counts are how many questions a server has received by its own metrics. Both counters
// must agree with each other and with the number of questions sent.
type Counts struct {
	Requests, Durations int // coredns_dns_requests_total, coredns_dns_request_duration_seconds_count
	Dropped             int // dropped and counted by the server itself
	Overflowed          int // dropped by the kernel, because the server did not read them in time
}

// The metrics of our own sockets, without the prefix.
const (
	packetsMetric = "fastpath_packets_total"
	enabledMetric = "fastpath_enabled"
)

// ReadCounts reads the counts. A metric that does not exist yet counts as zero.
func (p *Process) ReadCounts(ctx context.Context) (c Counts, err error) {
	text, err := p.get(ctx, p.Metrics, "/metrics")
	if err != nil {
		return c, err
	}
	for _, metric := range []struct {
		name, labels string
		to           *int
	}{
		{"coredns_dns_requests_total", "", &c.Requests},
		{"coredns_dns_request_duration_seconds_count", "", &c.Durations},
		{packetsMetric, `outcome="dropped"`, &c.Dropped},
	} {
		value, _, err := parseMetric(text, metric.name, metric.labels)
		if err != nil {
			return c, err
		}
		*metric.to = int(value)
	}
	number, err := strconv.Atoi(port(p.DNS))
	if err != nil {
		return c, err
	}
	c.Overflowed, err = proc.ReadDrops(number)
	return c, err
}

// FastPath is the state of our own sockets. A build without them reports nothing.
type FastPath struct {
	Found     bool
	Listeners int  // number of listeners at which they answer
	Reads     bool // they answer or hand questions over
}

// FastPath returns the state of our own sockets.
func (p *Process) FastPath(ctx context.Context) (f FastPath, err error) {
	text, err := p.get(ctx, p.Metrics, "/metrics")
	if err != nil {
		return f, err
	}
	value, found, err := parseMetric(text, enabledMetric, "")
	if err != nil {
		return f, err
	}
	f.Found, f.Listeners = found, int(value)
	// Packets are counted only if our own sockets are in the plan.
	_, f.Reads, err = parseMetric(text, packetsMetric, `outcome="handed_over"`)
	return f, err
}

// Since returns the counts since an earlier moment.
func (c Counts) Since(before Counts) Counts {
	return Counts{
		Requests: c.Requests - before.Requests, Durations: c.Durations - before.Durations,
		Dropped: c.Dropped - before.Dropped, Overflowed: c.Overflowed - before.Overflowed,
	}
}

// Check compares the counts with the number of questions that were sent.
func (c Counts) Check(sent int) error {
	want := sent - c.Dropped - c.Overflowed
	if c.Requests == want && c.Durations == want {
		return nil
	}
	return fmt.Errorf("%d questions sent, %d dropped by the server, %d by the kernel: requests_total grew by %d, the durations by %d, want %d",
		sent, c.Dropped, c.Overflowed, c.Requests, c.Durations, want)
}
