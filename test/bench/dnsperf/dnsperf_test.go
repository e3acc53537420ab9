package dnsperf

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const output = `DNS Performance Testing Tool
Version 2.10.0

[Status] Command line: dnsperf -s 127.0.0.1 -p 9
[Status] Started at: Mon Nov 23 06:20:41 2026
[Timeout] Query timed out: msg id 0
[Status] Testing complete (time limit)

Statistics:

  Queries sent:         1003
  Queries completed:    1000 (99.70%)
  Queries lost:         3 (0.30%)

  Response codes:       NOERROR 600 (60.00%), NXDOMAIN 400 (40.00%)
  Average packet size:  request 40, response 100
  Run time (s):         2.000100
  Queries per second:   499.975000

  Average Latency (s):  0.000200 (min 0.000010, max 0.002000)
  Latency StdDev (s):   0.000100
`

func TestParse(t *testing.T) {
	got, err := parse(output)
	want := Result{Sent: 1003, Completed: 1000, Lost: 3, Rate: 499.975, Rcodes: map[string]int{"NOERROR": 600, "NXDOMAIN": 400}}
	if err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for name, bad := range map[string]string{
		"nothing":     "",
		"no answer":   strings.ReplaceAll(output, "completed:    1000", "completed:    0"),
		"no rate":     strings.ReplaceAll(output, "499.975000", "many"),
		"lost is not": strings.ReplaceAll(output, "Queries lost", "Queries misplaced"),
	} {
		if _, err := parse(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestArgs(t *testing.T) {
	for name, tc := range map[string]struct {
		load     Load
		has, not string
	}{
		"saturation": {Load{Server: "127.0.0.1:53", Time: 5 * time.Second}, "-l 5", "-Q"},
		"fixed":      {Load{Server: "127.0.0.1:53", Time: 5 * time.Second, Rate: 20}, "-Q 20", "-n"},
		"once":       {Load{Server: "127.0.0.1:53", Time: 5 * time.Second, Once: true}, "-n 1", "-l"},
		"full":       {Load{Server: "127.0.0.1:53", Time: 5 * time.Second, Outstanding: 1600}, "-q 1600", "-O"},
		"new":        {Load{Server: "127.0.0.1:53", Time: 5 * time.Second, PerConnection: 1}, "-O num-queries-per-conn=1", "-Q"},
		"HTTPS":      {Load{Server: "127.0.0.1:53", Mode: "doh", Time: 5 * time.Second}, "doh-uri=https://127.0.0.1:53/dns-query", "-Q"},
	} {
		args, err := tc.load.args()
		text := strings.Join(args, " ")
		if err != nil || !strings.Contains(text, tc.has) || slices.Contains(args, tc.not) || !strings.Contains(text, "-c 16") {
			t.Errorf("%s: %s, %v", name, text, err)
		}
	}
	if _, err := (Load{Server: "nowhere"}).args(); err == nil {
		t.Error("no error for a server without a port")
	}
}
