package proc

import (
	"testing"
	"time"
)

const status = "Name:\tcoredns\nVmPeak:\t 1270964 kB\nVmHWM:\t   61440 kB\nVmRSS:\t   51200 kB\nRssAnon:\t   20480 kB\nThreads:\t9\n"

func TestParseMemory(t *testing.T) {
	got, err := parseMemory([]byte(status))
	want := Memory{RSS: 50 << 20, Anonymous: 20 << 20, Peak: 60 << 20}
	if err != nil || got != want {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for _, bad := range []string{"", "VmRSS:\t1 kB\n", "VmHWM:\t1\nVmRSS:\t1\nRssAnon:\t1\n"} {
		if _, err := parseMemory([]byte(bad)); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

func TestParseSchedstat(t *testing.T) {
	got, err := parseSchedstat("1500000 45901 12\n")
	if want := (CPUTime{1500 * time.Microsecond, 45901}); err != nil || got != want {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{"", "1 2", "a b c"} {
		if _, err := parseSchedstat(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}

func TestParseStat(t *testing.T) {
	total, stolen := parseStat("cpu  10 20 30 400 5 6 7 22 99 99\ncpu0 1 2 3 4\n")
	if total != 500 || stolen != 22 {
		t.Errorf("total %v, stolen %v, want 500 and 22", total, stolen)
	}
	if total, stolen := parseStat(""); total != 0 || stolen != 0 {
		t.Errorf("nothing gives %v, %v", total, stolen)
	}
}

func TestAtRest(t *testing.T) {
	looks := func(rss func(i int) float64, cpu time.Duration) []look {
		all := make([]look, quietPolls)
		for i := range all {
			all[i] = look{Memory{RSS: rss(i)}, time.Duration(i) * cpu, time.Unix(0, 0).Add(time.Duration(i) * quietPoll)}
		}
		return all
	}
	steady := func(int) float64 { return 50e6 }
	growing := func(i int) float64 { return 50e6 + 1e6*float64(i) }
	for name, tc := range map[string]struct {
		looks []look
		want  bool
	}{
		"too few":  {looks(steady, 0)[1:], false},
		"steady":   {looks(steady, time.Millisecond), true},
		"growing":  {looks(growing, 0), false},
		"computes": {looks(steady, quietPoll/10), false},
	} {
		if got := atRest(tc.looks); got != tc.want {
			t.Errorf("%s: %v, want %v", name, got, tc.want)
		}
	}
}

func TestParseTicks(t *testing.T) {
	const stat = "4242 (a b) c) S 1 4242 4242 0 -1 4194560 900 0 0 0 150 25 0 0 20 0 9 0 123456 0 0\n"
	if got, err := parseTicks(stat); err != nil || got != 1750*time.Millisecond {
		t.Errorf("got %v, %v, want 1.75s", got, err)
	}
	for _, bad := range []string{"", "1 (x) S 1", "1 (x) S 1 2 3 4 5 6 7 8 9 10 a b c"} {
		if _, err := parseTicks(bad); err == nil {
			t.Errorf("no error for %q", bad)
		}
	}
}
