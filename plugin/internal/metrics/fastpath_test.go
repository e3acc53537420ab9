package metrics

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/plugin/metrics/vars"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
	"github.com/clusterdns/clusterdns/plugin/internal/searchpath"
)

// requests returns what CoreDNS's own metric has counted for a server, by the other labels.
func requests(t *testing.T, server string) []string {
	t.Helper()
	families, err := prometheus.DefaultGatherer.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, family := range families {
		if family.GetName() != "coredns_dns_requests_total" {
			continue
		}
		for _, m := range family.GetMetric() {
			line, of := "", false
			for _, l := range m.GetLabel() {
				if l.GetName() == "server" {
					of = l.GetValue() == server
					continue
				}
				line += fmt.Sprintf("%s=%s ", l.GetName(), l.GetValue())
			}
			if of {
				lines = append(lines, fmt.Sprint(line, m.GetCounter().GetValue()))
			}
		}
	}
	return lines
}

// The names of types are those of the plugin prometheus.
func TestFastPathNamesTypes(t *testing.T) {
	m := newZoneMeter(newAnswerCounter(testCollectors(), "dns://names").AtSockets(nil), "dns://names", ".", "errors", "udp")
	for qtype := range uint16(300) {
		m.Answered(&reply.Answered{Type: qtype, Result: resolve.Success})
		msg := new(dns.Msg).SetQuestion(".", qtype)
		vars.Report("dns://stock-names", request.Request{W: &test.ResponseWriter{}, Req: msg}, ".", "", "NOERROR", "errors", 0, time.Now())
	}
	got, want := requests(t, "dns://names"), requests(t, "dns://stock-names")
	// Transfers and ANY are never answered here.
	rest := slices.DeleteFunc(want, func(s string) bool {
		return strings.Contains(s, "XFR") || strings.Contains(s, "ANY") || strings.Contains(s, "other")
	})
	named := slices.DeleteFunc(got, func(s string) bool { return strings.Contains(s, "other") })
	if !slices.Equal(named, rest) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(named, "\n"), strings.Join(rest, "\n"))
	}
}

// A panic on the fast path counts in coredns_panics_total, like one in the plugin chain.
func TestC9PanicsAreCoreDNSs(t *testing.T) {
	before := testutil.ToFloat64(vars.Panic)
	newListenerMeter(testCollectors(), "dns://192.0.2.1:53").Panicked()
	if n := testutil.ToFloat64(vars.Panic) - before; n != 1 {
		t.Errorf("%v panics were counted", n)
	}
}

// A completion on the fast path is counted as by the chain: not as an answer.
func TestFastPathCountsCompletions(t *testing.T) {
	all := testCollectors()
	c := newSearchCounter(all)
	m := newAnswerCounter(all, "dns://"+t.Name()).AtSockets(c)
	found := reply.Completion{Outcome: searchpath.Inside, Element: searchpath.Element{Position: searchpath.Zone}, Saved: 2}
	success, saved := c.by[searchSuccess][searchpath.Zone], c.saved
	before, beforeSaved := testutil.ToFloat64(success), testutil.ToFloat64(saved)
	m.Answered(&reply.Answered{Result: resolve.Success, Kind: resolve.KindService, Completion: found})
	m.Answered(&reply.Answered{Result: resolve.NoData, Kind: resolve.KindService, Completion: found})
	if got := testutil.ToFloat64(success) - before; got != 1 {
		t.Errorf("%g answers are counted as completed, want one", got)
	}
	if got := testutil.ToFloat64(saved) - beforeSaved; got != 2 {
		t.Errorf("%g questions are saved, want 2", got)
	}
	if got := counted(all, "dns://"+t.Name(), resolve.KindService, outcomeSuccess); got != 0 {
		t.Errorf("%g answers are counted, want none", got)
	}
}
