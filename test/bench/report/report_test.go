package report

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReport(t *testing.T) {
	r := New([]string{"ours", "stock", "knot"}, Ratio{"ours", "stock"}, Ratio{"ours", "nsd"})
	for _, value := range []float64{3, 1, 2.5} {
		r.Add("ready after, s", "ours", value)
		r.Add("ready after, s", "stock", 2*value)
	}
	r.Add("wrong answers", "ours", 0)
	r.Add("wrong answers", "stock", 0)
	r.Add("peak RSS, MB", "ours", 61.237)
	const want = `| figure | Ours | Stock | ours / stock |
| --- | ---: | ---: | ---: |
| ready after, s | 2.50 (1-3) | 5 (2-6) | 0.5 |
| wrong answers | 0 | 0 |  |
| peak RSS, MB | 61.2 |  |  |
`
	var got strings.Builder
	r.Write(&got, map[string]string{"ours": "Ours", "stock": "Stock", "knot": "Knot"})
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
	if m, ok := r.Median("ready after, s", "stock"); !ok || m != 5 {
		t.Errorf("median %v, %v, want 5", m, ok)
	}
	if _, ok := r.Median("ready after, s", "knot"); ok {
		t.Error("a median of nothing")
	}
}

func TestSummary(t *testing.T) {
	r := New([]string{"ours", "chain", "stock", "knot"}, Ratio{"ours", "stock"}, Ratio{"ours", "knot"}, Ratio{"chain", "stock"})
	for _, value := range []float64{1, 3} {
		r.Add("CPU", "ours", value)
		r.Add("CPU", "stock", 4*value)
		r.Add("CPU", "knot", 2*value)
		r.Add("CPU", "chain", value)
		r.Add("wrong answers", "ours", 0)
	}
	r.Add("peak", "ours", 85.71)
	const want = `| figure | Ours | Stock | ours / stock | ours / knot |
| --- | ---: | ---: | ---: | ---: |
| peak | 85.7 |  |  |  |
| CPU | 2 | 8 | 0.25 | 0.5 |
`
	var got strings.Builder
	r.WriteSummary(&got, map[string]string{"ours": "Ours", "stock": "Stock"}, "ours", "stock", []string{"peak", "CPU", "not measured"})
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Error(diff)
	}
}

// A run that was slow for both servers must not show in the ratio.
func TestRatioIsThatOfEachRun(t *testing.T) {
	r := New([]string{"a", "b"}, Ratio{"a", "b"})
	for _, slow := range []float64{1, 10, 3} {
		r.Add("x", "a", slow)
		r.Add("x", "b", 4*slow)
	}
	if got := r.ratio("x", r.ratios[0]); got != "0.25" {
		t.Errorf("ratio %s, want 0.25", got)
	}
}

func TestPercentile(t *testing.T) {
	thousand := make([]int, 1000)
	for i := range thousand {
		thousand[i] = i + 1
	}
	for _, tc := range []struct {
		values []int
		p      float64
		want   int
	}{
		{thousand, 50, 500}, {thousand, 99, 990}, {thousand, 99.9, 999}, {thousand, 100, 1000},
		{[]int{7}, 50, 7}, {[]int{7, 8}, 50, 7}, {[]int{7, 8}, 99, 8},
	} {
		if got := Percentile(tc.values, tc.p); got != tc.want {
			t.Errorf("percentile %v of %d values = %d, want %d", tc.p, len(tc.values), got, tc.want)
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
