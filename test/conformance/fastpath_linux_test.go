package conformance

import (
	"regexp"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/kit/metrics"
)

// path is the way of questions over UDP through the server. Another server than ours has
// only one.
type path struct {
	name    string
	env     []string
	enabled string // value of the gauge
}

func paths() []path {
	if *server != "" {
		return []path{{name: "chain"}}
	}
	return []path{
		{name: "fast", enabled: "1"},
		{name: "chain", env: []string{"CLUSTERDNS_FASTPATH=off"}, enabled: "0"},
	}
}

const metricsAddr = "127.0.0.1:9153"

var (
	loggingLine = regexp.MustCompile(`(?m)^\s*log\n`)
	metricsLine = regexp.MustCompile(`(?m)^\s*prometheus :9153\n`)
	gaugeLine   = regexp.MustCompile(`(?m)^coredns_clusterdns_fastpath_enabled\{.*\} (.*)$`)
)

// systemsPort reports whether the system chooses the port. There is no fast path then, and
// a second listener cannot be told from the first.
func systemsPort(corefile string) bool { return strings.HasPrefix(corefile, ".:0 ") }

// measured returns a Corefile with the same answers and with metrics about the path: it
// removes the plugin log, which keeps the fast path off.
func measured(corefile string) string {
	if systemsPort(corefile) {
		return corefile
	}
	corefile = metricsLine.ReplaceAllString(loggingLine.ReplaceAllString(corefile, ""), "")
	return strings.Replace(corefile, "{\n", "{\n    prometheus "+metricsAddr+"\n", 1)
}

// wasTaken fails the test unless all listeners have answered on the path.
func (p path) wasTaken(t *testing.T, corefile string) {
	t.Helper()
	if p.enabled == "" || systemsPort(corefile) {
		return
	}
	text, err := metrics.Fetch(t.Context(), metricsAddr)
	if err != nil {
		t.Fatal(err)
	}
	gauges := gaugeLine.FindAllStringSubmatch(text, -1)
	if len(gauges) == 0 {
		t.Error("no gauge tells whether the fast path is on")
	}
	for _, gauge := range gauges {
		if gauge[1] != p.enabled {
			t.Errorf("want %s: %s", p.enabled, gauge[0])
		}
	}
}
