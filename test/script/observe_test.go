package script

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"regexp"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/clusterdns/clusterdns/test/kit/locked"
)

// client keeps no connection open, because a server that stops would wait for it.
var client = &http.Client{
	Timeout:   answerTimeout,
	Transport: &http.Transport{DisableKeepAlives: true},
}

// get prints the answer of an HTTP server.
func get(_ *testscript.TestScript, args []string) (string, error) {
	if len(args) != 1 {
		return "", errors.New("expected http URL")
	}
	r, err := client.Get(args[0])
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return fmt.Sprintf("%d\n%s\n", r.StatusCode, bytes.TrimSpace(body)), err
}

// counter prints how much a metric has grown during the script. The metrics belong to the
// process, so earlier scripts have counted too.
func counter(ts *testscript.TestScript, args []string) (string, error) {
	if len(args) != 1 {
		return "", errors.New("expected counter NAME")
	}
	now, err := totals()
	if err != nil {
		return "", err
	}
	total, ok := now[args[0]]
	if !ok {
		return "", fmt.Errorf("there is no metric %s", args[0])
	}
	return fmt.Sprintf("%g\n", total-stateOf(ts).metrics[args[0]]), nil
}

// totals returns the sums of all counters and gauges over their labels.
func totals() (map[string]float64, error) {
	families, err := prometheus.DefaultGatherer.Gather()
	sums := map[string]float64{}
	for _, f := range families {
		sums[f.GetName()] = sum(f)
	}
	return sums, err
}

func sum(f *dto.MetricFamily) float64 {
	total := 0.0
	for _, m := range f.GetMetric() {
		total += m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	return total
}

// captureLog collects the log of the process, and shows it if the script fails.
func captureLog(env *testscript.Env) *locked.Buffer {
	b := new(locked.Buffer)
	log.SetFlags(0)
	log.SetOutput(b)
	env.Defer(func() {
		log.SetOutput(os.Stderr)
		if t := env.T().(serial); t.Failed() {
			t.Logf("log of the server:\n%s", b)
		}
	})
	return b
}

// logs prints the log, or the lines that match a regular expression.
func logs(ts *testscript.TestScript, args []string) (string, error) {
	text := stateOf(ts).log.String()
	if len(args) == 0 {
		return text, nil
	}
	pattern, err := regexp.Compile(args[0])
	if err != nil {
		return "", err
	}
	var matching strings.Builder
	for line := range strings.Lines(text) {
		if pattern.MatchString(line) {
			matching.WriteString(line)
		}
	}
	return matching.String(), nil
}
