package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReport(t *testing.T) {
	r := newReport(oursColumn, stockColumn)
	for _, value := range []float64{3, 1, 2.5} {
		r.add("ready after, s", oursColumn, value)
		r.add("ready after, s", stockColumn, 2*value)
	}
	r.add("wrong answers", oursColumn, 0)
	r.add("wrong answers", stockColumn, 0)
	r.add("peak RSS, MB", oursColumn, 61.237)
	const want = `| figure | clusterdns | stock | ratio |
| --- | ---: | ---: | ---: |
| ready after, s | 2.50 (1-3) | 5 (2-6) | 0.50 |
| wrong answers | 0 | 0 |  |
| peak RSS, MB | 61.2 |  |  |
`
	var got strings.Builder
	r.write(&got)
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

func TestPercentile(t *testing.T) {
	hundred := make([]int, 100)
	for i := range hundred {
		hundred[i] = i + 1
	}
	for _, tc := range []struct {
		values  []int
		p, want int
	}{
		{hundred, 50, 50}, {hundred, 99, 99}, {hundred, 100, 100}, {[]int{7}, 50, 7}, {[]int{7, 8}, 50, 7}, {[]int{7, 8}, 99, 8},
	} {
		if got := percentile(tc.values, tc.p); got != tc.want {
			t.Errorf("percentile %d of %d values = %d, want %d", tc.p, len(tc.values), got, tc.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{2: {3, 1, 2}, 2.5: {4, 1, 2, 3}, 5: {5}} {
		if got := median(values); got != want {
			t.Errorf("median of %v = %v, want %v", values, got, want)
		}
	}
}

func TestCorefileNamesEveryAddress(t *testing.T) {
	a := addresses{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:4", "127.0.0.1:5"}
	got, err := corefile(a, "/tmp/kube config", true)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		".:1 {", "bind 127.0.0.1\n", "health 127.0.0.1:2 {", "ready 127.0.0.1:3\n", "prometheus 127.0.0.1:4\n",
		"pprof 127.0.0.1:5\n", `kubeconfig "/tmp/kube config"`, "pods verified\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestParallelDoesEachOnce(t *testing.T) {
	const n = 100
	var done [n]atomic.Int32
	err := parallel(t.Context(), 8, n, func(_ context.Context, i int) error { done[i].Add(1); return nil })
	if err != nil {
		t.Fatal(err)
	}
	for i := range done {
		if done[i].Load() != 1 {
			t.Errorf("number %d done %d times", i, done[i].Load())
		}
	}
}

func TestParallelEndsAtAnError(t *testing.T) {
	broken := errors.New("broken")
	err := parallel(t.Context(), 4, 1_000_000, func(_ context.Context, i int) error {
		if i == 10 {
			return broken
		}
		return nil
	})
	if !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}
