package differential

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/kit/metrics"
)

// path is the way of questions over UDP through our server.
type path struct {
	name    string
	ports   int // of our process
	env     []string
	enabled string // value of the gauge
}

var (
	fastPath  = path{name: "fast path", ports: ourPorts, enabled: "1"}
	chainPath = path{name: "chain", ports: chainPorts, env: []string{"CLUSTERDNS_FASTPATH=off"}, enabled: "0"}
)

// paths are the ways that questions take. Most of them take the first.
var paths = []path{fastPath, chainPath}

// chainPart says that the chain gets one question in so many if there is a fast path too:
// few answers depend on both the path and the question.
const chainPart = 4

// part drops questions at random that the chain need not get as well. Over TCP there is
// only one path.
func (p *pair) part(questions iter.Seq[question]) iter.Seq[question] {
	if p.path.ports == ourPorts {
		return questions
	}
	rng := rand.New(rand.NewPCG(*seed, 3))
	return func(yield func(question) bool) {
		for q := range questions {
			if !q.tcp && rng.IntN(chainPart) == 0 && !yield(q) {
				return
			}
		}
	}
}

var (
	gaugeLine    = regexp.MustCompile(`(?m)^coredns_clusterdns_fastpath_enabled\{.*\} (.*)$`)
	answeredLine = regexp.MustCompile(`(?m)^coredns_clusterdns_fastpath_packets_total\{outcome="answered",.*\} (.*)$`)
)

// wasTaken fails the test unless all our listeners have answered on the path.
func (p *pair) wasTaken(t *testing.T) {
	t.Helper()
	text, err := metrics.Fetch(t.Context(), fmt.Sprintf("127.0.0.1:%d", p.path.ports+metricsPort))
	if err != nil {
		t.Fatal(err)
	}
	gauges := gaugeLine.FindAllStringSubmatch(text, -1)
	if len(gauges) == 0 {
		t.Errorf("%s: no gauge tells whether the fast path is on", p.path.name)
	}
	enabled := p.path.enabled
	if p.left {
		enabled = "0"
	}
	for _, gauge := range gauges {
		if gauge[1] != enabled {
			t.Errorf("%s: want %s: %s", p.path.name, enabled, gauge[0])
		}
	}
	answered := false
	for _, count := range answeredLine.FindAllStringSubmatch(text, -1) {
		answered = answered || strings.Trim(count[1], "0") != ""
	}
	if want := enabled == fastPath.enabled && !p.unready; answered != want {
		t.Errorf("%s: the fast path has answered: %t, want %t", p.path.name, answered, want)
	}
}
