package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/clusterdns/clusterdns/plugin/internal/answer"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

func TestObserver(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := New(registry, snapshots(1), noReport)
	one, other := newObserver(m), newObserver(m)
	one.Held("services", 3)
	one.Held("services", 5)
	other.Held("services", 2)
	one.Contested(3)
	one.Contested(2)
	other.Contested(4)
	one.Relisted("pods")
	one.Committed()
	other.Heard("services", time.UnixMilli(500))
	one.Heard("services", time.UnixMilli(1500))
	one.Heard("pods", time.UnixMilli(1600))
	one.Requested(kube.Request{Method: "GET", Host: "api:443", Code: "200", Watch: true, Took: time.Hour})
	one.Requested(kube.Request{Method: "GET", Host: "api:443", Code: "200", Took: time.Second})
	one.End()
	const want = `
# HELP coredns_clusterdns_commits_total Counter of changes to what is served, each of one or several objects.
# TYPE coredns_clusterdns_commits_total counter
coredns_clusterdns_commits_total 1
# HELP coredns_clusterdns_last_event_timestamp_seconds Unix time at which the API server was last heard of, by resource. It sends a sign of life about once a minute.
# TYPE coredns_clusterdns_last_event_timestamp_seconds gauge
coredns_clusterdns_last_event_timestamp_seconds{resource="services"} 1.5
# HELP coredns_clusterdns_objects Number of objects held, by resource.
# TYPE coredns_clusterdns_objects gauge
coredns_clusterdns_objects{resource="services"} 2
# HELP coredns_clusterdns_published_contested_names Number of published names that several objects claim, each with other records; the oldest object has the name.
# TYPE coredns_clusterdns_published_contested_names gauge
coredns_clusterdns_published_contested_names 4
# HELP coredns_clusterdns_relists_total Counter of lists after the first, by resource.
# TYPE coredns_clusterdns_relists_total counter
coredns_clusterdns_relists_total{resource="pods"} 1
coredns_clusterdns_relists_total{resource="services"} 0
# HELP coredns_kubernetes_rest_client_requests_total Number of HTTP requests, partitioned by status code, method, and host.
# TYPE coredns_kubernetes_rest_client_requests_total counter
coredns_kubernetes_rest_client_requests_total{code="200",host="api:443",method="GET"} 2
`
	names := []string{
		"coredns_clusterdns_commits_total", "coredns_clusterdns_last_event_timestamp_seconds", "coredns_clusterdns_objects",
		"coredns_clusterdns_published_contested_names", "coredns_clusterdns_relists_total", "coredns_kubernetes_rest_client_requests_total",
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	if n := testutil.CollectAndCount(m.latency); n != 1 {
		t.Errorf("%d histograms of request latency, want one", n)
	}
}

// A reload may end a watch while another of the same resource goes on.
func TestLastEventEndsWithTheLastWatch(t *testing.T) {
	m := New(prometheus.NewRegistry(), snapshots(0), noReport)
	one, other := newObserver(m), newObserver(m)
	for _, o := range []*observer{one, other} {
		o.Heard("services", time.UnixMilli(1))
		o.Heard("services", time.UnixMilli(2))
	}
	for i, want := range []int{1, 0} {
		[]*observer{one, other}[i].End()
		if n := testutil.CollectAndCount(m.lastEvent); n != want {
			t.Errorf("%d series after %d ends, want %d", n, i+1, want)
		}
	}
	if n := testutil.CollectAndCount(m.silences); n != 1 {
		t.Errorf("%d series of silences, want the one that began at zero", n)
	}
}

func TestMetricNames(t *testing.T) {
	registry := prometheus.NewRegistry()
	m := New(registry, snapshots(1), noReport)
	newAnswerCounter(m, "dns://:53").Answered(&answer.Answer{Result: resolve.Success})
	o := newObserver(m)
	o.Programmed("cluster_ip", time.Millisecond)
	o.Heard("pods", time.Now())
	o.Relisted("pods")
	o.Held("pods", 1)
	o.Requested(kube.Request{})
	problems, err := testutil.GatherAndLint(registry)
	if err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
}
