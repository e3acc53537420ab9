package fastpath_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/clusterdns/clusterdns/plugin/internal/fastpath"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

const meteredCorefile = `
. cluster.local:PORT {
    bind 127.0.0.1
    prometheus 127.0.0.1:0
    errors
    OURS
    loadbalance
    whoami
}
`

// metered returns what the metrics with these beginnings of their names have counted at a
// listener.
func metered(t *testing.T, server string, names ...string) []string {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, family := range families {
		if !slices.ContainsFunc(names, func(name string) bool { return strings.HasPrefix(family.GetName(), name) }) {
			continue
		}
		for _, m := range family.GetMetric() {
			if line, of := series1(m, server); of {
				lines = append(lines, family.GetName()+line)
			}
		}
	}
	return lines
}

// series1 returns a series as text, without the server and without durations.
func series1(m *dto.Metric, server string) (string, bool) {
	var labels []string
	of := false
	for _, l := range m.GetLabel() {
		if l.GetName() == "server" {
			of = l.GetValue() == server
			continue
		}
		labels = append(labels, l.GetName()+"="+l.GetValue())
	}
	line := fmt.Sprint(labels)
	if h := m.GetHistogram(); h != nil {
		line += fmt.Sprintf(" count %d", h.GetSampleCount())
		if slices.Contains(labels, "proto=udp") || slices.Contains(labels, "proto=tcp") { // the other histograms are durations
			line += fmt.Sprintf(" sum %g", h.GetSampleSum())
		}
		return line, of
	}
	return line + fmt.Sprintf(" %g", m.GetCounter().GetValue()), of
}

// askAll sends a number of questions and receives the replies.
func askAll(t *testing.T, port, count int) {
	t.Helper()
	conn, err := net.Dial("udp", fastAddr(port).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	random := rand.New(rand.NewPCG(5, 6))
	buf := make([]byte, 1<<16)
	for range count {
		packet := fastQuestion(random)
		if _, err := conn.Write(packet); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Read(buf); err != nil {
			t.Fatalf("%x: %v", packet, err)
		}
	}
}

// TestFastPathCounts asks the same questions with and without the fast path.
func TestFastPathCounts(t *testing.T) {
	var counted [2][]string
	for i, value := range []string{"off", ""} {
		t.Setenv(fastpath.Variable, value)
		port := freePort(t)
		instance := coredns.StartTest(t, fastCorefile(t, meteredCorefile, port))
		if service, reason := fastService(t, instance, port); (service != nil) != (value == "") {
			t.Fatal(reason)
		}
		askAll(t, port, 5000)
		instance.Stop() // a handler counts after its reply is sent
		counted[i] = metered(t, fmt.Sprintf("dns://127.0.0.1:%d", port), "coredns_dns_", "coredns_clusterdns_answers_total")
	}
	if len(counted[0]) < 20 || !slices.Equal(counted[0], counted[1]) {
		t.Errorf("with the fast path\n%s\nwithout\n%s", strings.Join(counted[1], "\n"), strings.Join(counted[0], "\n"))
	}
}
