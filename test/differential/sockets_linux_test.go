package differential

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/kit/metrics"
	"github.com/clusterdns/clusterdns/test/netlab"
)

// TestSockets holds the table of Corefiles in doc/fast-path.md to what our server does with each.
//
//	go test ./test/differential -run TestSockets -update -before /tmp/coredns-of-that-time
func TestSockets(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a Kubernetes API server when it runs for the first time")
	}
	l, published := newLab(t), publishedRows(t)
	var rows []socketsRow
	corefiles := readWild(t)
	slices.SortFunc(corefiles, func(a, b *corefile) int { return strings.Compare(a.name, b.name) })
	for _, c := range corefiles {
		row := socketsRow{name: c.name, whose: c.whose(t), before: published[c.name].before}
		if *before != "" {
			t.Run(c.name+"/before", func(t *testing.T) { row.before, _ = l.sockets(t, c, *before) })
		}
		t.Run(c.name, func(t *testing.T) { row.now, row.outside = l.sockets(t, c, binaries(t)[ourServer]) })
		if rows = append(rows, row); !*update && row != published[c.name] {
			t.Errorf("%s says\n%s, and the server does\n%s", socketsPage, published[c.name], row)
		}
	}
	if *update {
		publish(t, rows)
	} else if len(published) != len(rows) {
		t.Errorf("%s has %d Corefiles, want %d", socketsPage, len(published), len(rows))
	}
}

// sockets returns the cells of a Corefile for a server.
func (l *lab) sockets(t *testing.T, c *corefile, binary string) (now, outside string) {
	process, address := startProcess(t, c, binary, ourPorts, l.env)
	a := newAsker(address)
	if !c.bound {
		a = newAsker(netip.AddrPortFrom(otherAddr, uint16(ourPorts+c.port)).String())
	}
	defer a.close()
	var others []string
	for _, kind := range kinds {
		if !answeredAtSockets(t, process, a, kind.question) {
			others = append(others, kind.name)
		}
	}
	outside = "no"
	if answeredAtSockets(t, process, a, outsideKind) {
		outside = "yes"
	}
	switch len(others) {
	case 0:
		return "all", outside
	case len(kinds):
		return nothing + whyNothing(t, process), outside
	}
	return "all but " + strings.Join(others, ", "), outside
}

// repeats is how often a question is asked, so that others do not matter, nor the hits that the cache must have first.
const repeats = 100

// answeredAtSockets asks a question, and reports whether the fast path answers it when it is repeated.
func answeredAtSockets(t *testing.T, process *netlab.Process, a *asker, q question) bool {
	t.Helper()
	var answered, others float64
	process.Eventually(t, func(ctx context.Context) error {
		before, err := outcomes(ctx)
		for range repeats {
			if r := a.one(0, q); r.problem != nil {
				return r.problem
			}
		}
		after, err2 := outcomes(ctx)
		if answered, others = after["answered"]-before["answered"], after["handed_over"]-before["handed_over"]; answered+others < repeats {
			return errors.Join(err, err2, fmt.Errorf("%v answered and %v handed over of %d", answered, others, repeats))
		}
		return errors.Join(err, err2)
	})
	return answered > others
}

var outcomeLine = regexp.MustCompile(`(?m)^coredns_clusterdns_fastpath_packets_total\{outcome="(.*?)",.*\} (.*)$`)

// outcomes returns how many packets had each outcome, at all listeners.
func outcomes(ctx context.Context) (map[string]float64, error) {
	text, err := metrics.Fetch(ctx, fmt.Sprintf("127.0.0.1:%d", ourPorts+metricsPort))
	if err != nil {
		return nil, err
	}
	all := map[string]float64{}
	for _, line := range outcomeLine.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseFloat(line[2], 64)
		if err != nil {
			return nil, err
		}
		all[line[1]] += n
	}
	return all, nil
}

var reasonLine = regexp.MustCompile(`fast path (?:answers nothing and hands questions over|is off) at \S+: (.*)`)

// whyNothing returns the reason in the log of a server whose fast path answers nothing.
func whyNothing(t *testing.T, process *netlab.Process) string {
	t.Helper()
	log, err := os.ReadFile(process.Log())
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, line := range reasonLine.FindAllStringSubmatch(string(log), -1) {
		reasons = append(reasons, line[1])
	}
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(reasons))), "; ")
}

// startProcess starts a server and waits until it is ready, if it ever is. It returns
// the address of its main block too.
func startProcess(t *testing.T, c *corefile, binary string, base int, env []string) (process *netlab.Process, address string) {
	t.Helper()
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	process = netlab.StartServer(t, netlab.Server{Binary: binary, Corefile: c.text(base), Dir: testdata, Env: env})
	if !c.unready {
		process.Eventually(t, netlab.Ready(fmt.Sprintf("127.0.0.1:%d", base+readyPort)))
	}
	return process, fmt.Sprintf("%s:%d", serverAddr, base+c.port)
}
