//go:build soak

package soak

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/bench/proc"
	"github.com/clusterdns/clusterdns/test/kit/metrics"
)

// complaint matches lines that a server must not log if its only trouble is an invalid
// Corefile. Most panics are recovered from.
var complaint = regexp.MustCompile(`(?m)^.*(WARNING: DATA RACE|^E\d{4} |panic|^fatal error: ).*$`)

// judgeRaces fails the test with every report of the race detector.
func judgeRaces(t *testing.T, dir string) {
	reports, err := filepath.Glob(filepath.Join(dir, "race.*"))
	if err != nil {
		t.Error(err)
	}
	for _, path := range reports {
		report, err := os.ReadFile(path)
		t.Errorf("%s (%v)", report, err)
	}
}

// sample is the resource usage of the server at one moment.
type sample struct {
	at         time.Duration
	megabytes  float64
	goroutines float64
	sockets    float64
}

func takeSample(ctx context.Context, pid int) (s sample, err error) {
	memory, err := proc.ReadMemory(pid)
	if err != nil {
		return s, err
	}
	s.megabytes = memory.RSS / (1 << 20)
	if s.sockets, err = countSockets(pid); err != nil {
		return s, err
	}
	served, err := metrics.Fetch(ctx, metricsAddr)
	s.goroutines = sum(served, `^go_goroutines (.*)$`)
	return s, err
}

func countSockets(pid int) (n float64, err error) {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, err := os.ReadDir(dir)
	for _, entry := range entries {
		to, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if err == nil && strings.HasPrefix(to, "socket:") { // an error means that the file is closed
			n++
		}
	}
	return n, err
}

// sum returns the sum of the lines of the metrics that match.
func sum(metrics, pattern string) (total float64) {
	for _, line := range regexp.MustCompile(`(?m)`+pattern).FindAllStringSubmatch(metrics, -1) {
		n, err := strconv.ParseFloat(line[1], 64)
		if err == nil {
			total += n
		}
	}
	return total
}

// outcome returns how many packets of the fast path had an outcome.
func outcome(metrics, name string) float64 {
	return sum(metrics, `^coredns_clusterdns_fastpath_packets_total\{outcome="`+name+`",.*\} (.*)$`)
}

// watch takes a sample every second until the context ends, and shows it. It takes none while
// a reload moves the listener of the metrics.
func watch(ctx context.Context, pid int, show func(sample)) (samples []sample) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	began := time.Now()
	for {
		select {
		case <-ctx.Done():
			return samples
		case <-tick.C:
		}
		if s, err := takeSample(ctx, pid); err == nil {
			s.at = time.Since(began)
			samples = append(samples, s)
			show(s)
		}
	}
}

// figures are the bounded figures: the end may exceed the beginning by a part of it plus a
// number. A leak of one per reload exceeds both within ten minutes.
var figures = []struct {
	name  string
	value func(sample) float64
	part  float64
	more  float64
}{
	{"MB of RSS", func(s sample) float64 { return s.megabytes }, 0.25, 16},
	{"goroutines", func(s sample) float64 { return s.goroutines }, 0.1, 32},
	{"sockets", func(s sample) float64 { return s.sockets }, 0.1, 16},
}

// warmUp returns the time after which nothing may grow: its second half has a flood of each
// kind, if there is time.
func warmUp() time.Duration {
	return min(2*floodPeriod*time.Duration(len(floods)), *duration/2)
}

// judgeGrowth compares the second half of the warm-up with the end of the run, over the
// same length.
func judgeGrowth(t *testing.T, samples []sample) {
	t.Helper()
	early, late := between(samples, warmUp()/2, warmUp()), between(samples, *duration-warmUp()/2, *duration)
	if len(early) == 0 || len(late) == 0 {
		t.Fatalf("%d samples, want some at the beginning and at the end", len(samples))
	}
	for _, f := range figures {
		before, after := lower(early, f.value), lower(late, f.value)
		bound := before*(1+f.part) + f.more
		t.Logf("%s: %.0f after %s, %.0f in the end (bound %.0f)", f.name, before, warmUp(), after, bound)
		if after > bound {
			t.Errorf("%.0f %s in the end, want at most %.0f: it was %.0f after %s", after, f.name, bound, before, warmUp())
		}
	}
}

func between(samples []sample, from, to time.Duration) []sample {
	return slices.DeleteFunc(slices.Clone(samples), func(s sample) bool { return s.at < from || s.at > to })
}

// lower returns the lower quartile: floods raise the figures for a part of the time, and a
// leak raises all of them.
func lower(samples []sample, value func(sample) float64) float64 {
	var all []float64
	for _, s := range samples {
		all = append(all, value(s))
	}
	slices.Sort(all)
	return all[len(all)/4]
}
