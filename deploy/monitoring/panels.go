package main

import "strings"

// panel is one panel of the dashboard.
type panel struct {
	title, unit string
	description string
	queries     []query
	stacked     bool
	atLeast     float64 // of a figure: red below
	below       float64 // of a figure: red from here on
}

// query is an expression with the legend of its series.
type query struct{ expr, legend string }

type row struct {
	title  string
	panels []panel
}

// Grafana's units.
const (
	perSecond = "reqps"
	seconds   = "s"
	share     = "percentunit"
	octets    = "bytes"
	number    = "short"
)

// of selects the servers that the viewer has chosen. In the tables below, METRIC{} is short for
// METRIC with it.
const of = `job=~"$job", instance=~"$instance"`

// ask returns a query for the chosen servers.
func ask(expr, legend string) query {
	expr = strings.ReplaceAll(expr, "{}", "{"+of+"}")
	return query{expr: strings.ReplaceAll(expr, "{,", "{"+of+","), legend: legend}
}

// one is the list of one query.
func one(expr, legend string) []query { return []query{ask(expr, legend)} }

// percentiles returns the median and the two percentiles that clients notice, of a histogram in
// seconds.
func percentiles(metric string) (queries []query) {
	for _, q := range [][2]string{{"0.5", "median"}, {"0.9", "90 %"}, {"0.99", "99 %"}} {
		queries = append(queries, ask("histogram_quantile("+q[0]+", sum by (le) (rate("+metric+"_bucket{}[$__rate_interval])))", q[1]))
	}
	return queries
}

var figures = []panel{
	{title: "Servers that know the cluster", unit: number, atLeast: 1, queries: one("sum(coredns_clusterdns_synced{})", "servers"),
		description: "How many servers answer for the cluster. A server that has not read all objects yet answers SERVFAIL."},
	{title: "Questions", unit: perSecond, queries: one("sum(rate(coredns_dns_requests_total{}[$__rate_interval]))", "questions")},
	{title: "SERVFAIL", unit: share, below: 0.02,
		queries:     one(`(sum(rate(coredns_dns_responses_total{,rcode="SERVFAIL"}[$__rate_interval])) or vector(0)) / sum(rate(coredns_dns_responses_total{}[$__rate_interval]))`, "SERVFAIL"),
		description: "The share of answers that are failures."},
	{title: "99 % of answers within", unit: seconds, below: 1,
		queries: one("histogram_quantile(0.99, sum by (le) (rate(coredns_dns_request_duration_seconds_bucket{}[$__rate_interval])))", "99 %")},
	{title: "Age of the data", unit: seconds, below: 300,
		queries:     one("max(time() - coredns_clusterdns_last_event_timestamp_seconds{})", "age"),
		description: "The time since the API server has sent something, at the server and for the kind of object where that is longest ago. About a minute is normal."},
	{title: "Dropped at the sockets", unit: perSecond, below: 1,
		queries:     one(`sum(rate(coredns_clusterdns_fastpath_packets_total{,outcome=~"dropped|lost"}[$__rate_interval]))`, "dropped"),
		description: "Questions that had no answer, because the server or the kernel had no room for them."},
}

var rows = []row{
	{"Questions", []panel{
		{title: "By result", unit: perSecond, stacked: true, queries: one("sum by (rcode) (rate(coredns_dns_responses_total{}[$__rate_interval]))", "{{rcode}}"),
			description: "NXDOMAIN is mostly the search path of Pods: each outside name is first asked for below the cluster's domains."},
		{title: "By type", unit: perSecond, stacked: true, queries: one("sum by (type) (rate(coredns_dns_requests_total{}[$__rate_interval]))", "{{type}}")},
		{title: "By transport", unit: perSecond, stacked: true, queries: one("sum by (proto) (rate(coredns_dns_requests_total{}[$__rate_interval]))", "{{proto}}")},
		{title: "Names of the cluster, by kind and outcome", unit: perSecond, stacked: true,
			queries:     one("sum by (kind, outcome) (rate(coredns_clusterdns_answers_total{}[$__rate_interval]))", "{{kind}} {{outcome}}"),
			description: "Of a name that does not exist, the kind is what is missing. zone with nxdomain is what search paths make."},
		{title: "Time to answer", unit: seconds, queries: percentiles("coredns_dns_request_duration_seconds"), description: "Answers from outside the cluster are in it."},
		{title: "By server", unit: perSecond, queries: one("sum by (instance) (rate(coredns_dns_requests_total{}[$__rate_interval]))", "{{instance}}"),
			description: "kube-proxy deals clients out to the servers. One that gets much more than the others has a client that asks much."},
	}},
	{"How questions are answered", []panel{
		{title: "Packets at the sockets", unit: perSecond, stacked: true,
			queries:     one("sum by (outcome) (rate(coredns_clusterdns_fastpath_packets_total{}[$__rate_interval]))", "{{outcome}}"),
			description: "answered before the plugin chain, handed_over to it, dropped under overload, lost by the kernel, ignored, or missed: doc/fast-path.md."},
		{title: "Listeners with the fast path", unit: number, queries: one("sum by (instance) (coredns_clusterdns_fastpath_enabled{})", "{{instance}}"),
			description: "At 0 the log says why: doc/fast-path.md."},
		{title: "Hits in the cache", unit: share,
			queries:     one(`(sum by (type) (rate(coredns_cache_hits_total{}[$__rate_interval]))) / ignoring (type) group_left () sum(rate(coredns_cache_requests_total{}[$__rate_interval]))`, "{{type}}"),
			description: "Of the questions that CoreDNS's cache is asked. Names of the cluster never come from it."},
		{title: "Names completed by search", unit: perSecond, stacked: true,
			queries:     one("sum by (outcome, position) (rate(coredns_clusterdns_search_completions_total{}[$__rate_interval]))", "{{outcome}} {{position}}"),
			description: "With the property search: doc/search-path.md."},
		{title: "Questions saved", unit: perSecond, queries: []query{
			ask("sum(rate(coredns_clusterdns_search_saved_questions_total{}[$__rate_interval]))", "by search"),
			ask("sum(rate(coredns_clusterdns_no_aaaa_total{}[$__rate_interval]))", "AAAA answered by no_aaaa"),
		}},
		{title: "Share of AAAA", unit: share,
			queries:     one(`(sum(rate(coredns_dns_requests_total{,type="AAAA"}[$__rate_interval])) or vector(0)) / sum(rate(coredns_dns_requests_total{}[$__rate_interval]))`, "AAAA"),
			description: "In a cluster without IPv6, no_aaaa answers those of outside names: doc/no-aaaa.md."},
	}},
	{"Data of the cluster", []panel{
		{title: "Age", unit: seconds, queries: one("max by (resource) (time() - coredns_clusterdns_last_event_timestamp_seconds{})", "{{resource}}"),
			description: "The time since the API server has sent something on the watch, if only its bookmark of the minute."},
		{title: "Objects", unit: number, queries: one("max by (resource) (coredns_clusterdns_objects{})", "{{resource}}")},
		{title: "Memory that objects take", unit: octets, stacked: true, queries: one("max by (resource) (coredns_clusterdns_held_bytes{})", "{{resource}}")},
		{title: "Changes to what is served", unit: perSecond, queries: one("sum by (instance) (rate(coredns_clusterdns_commits_total{}[$__rate_interval]))", "{{instance}}")},
		{title: "Time until a change is served", unit: seconds, queries: percentiles("coredns_kubernetes_dns_programming_duration_seconds"),
			description: "From the change that made Kubernetes write an EndpointSlice until DNS answers with it."},
		{title: "Requests to the API server", unit: perSecond, queries: one("sum by (code) (rate(coredns_kubernetes_rest_client_requests_total{}[$__rate_interval]))", "{{code}}")},
		{title: "Trouble", unit: number, description: "What should be at zero, within ten minutes.", queries: []query{
			ask("sum by (resource) (increase(coredns_clusterdns_relists_total{}[10m]))", "{{resource}} listed again"),
			ask("sum by (resource) (increase(coredns_clusterdns_watch_silences_total{}[10m]))", "{{resource}} silent"),
			ask("sum(coredns_clusterdns_restored{})", "watches restored from a file"),
			ask("sum(increase(coredns_clusterdns_manifest_errors_total{}[10m]))", "manifests refused"),
			ask("sum(increase(coredns_reload_failed_total{}[10m]))", "Corefile refused"),
			ask("sum(increase(coredns_panics_total{}[10m]))", "panics"),
		}},
		{title: "Headless Services without an EndpointSlice", unit: number, queries: one("max(coredns_clusterdns_headless_without_slices{})", "Services")},
	}},
	{"Name servers outside the cluster", []panel{
		{title: "Questions", unit: perSecond, stacked: true, queries: one("sum by (to, rcode) (rate(coredns_proxy_request_duration_seconds_count{}[$__rate_interval]))", "{{to}} {{rcode}}")},
		{title: "99 % of replies within", unit: seconds,
			queries: one("histogram_quantile(0.99, sum by (le, to) (rate(coredns_proxy_request_duration_seconds_bucket{}[$__rate_interval])))", "{{to}}")},
		{title: "Failures", unit: perSecond, queries: []query{
			ask("sum by (to) (rate(coredns_proxy_healthcheck_failures_total{}[$__rate_interval]))", "{{to}} not healthy"),
			ask("sum(rate(coredns_forward_healthcheck_broken_total{}[$__rate_interval]))", "none healthy"),
			ask("sum(rate(coredns_forward_max_concurrent_rejects_total{}[$__rate_interval]))", "refused: too many wait"),
		}},
	}},
	{"Process", []panel{
		{title: "CPU", unit: number, description: "In cores.", queries: one("rate(process_cpu_seconds_total{}[$__rate_interval]) and on (job, instance) "+identity, "{{instance}}")},
		{title: "Memory", unit: octets, description: "Go's soft limit is 90 % of the container's limit.", queries: []query{
			ask("process_resident_memory_bytes{} and on (job, instance) "+identity, "{{instance}}"),
			ask("min(go_gc_gomemlimit_bytes{} < 1e15 and on (job, instance) "+identity+")", "soft limit"),
		}},
		{title: "Goroutines", unit: number, queries: one("go_goroutines{} and on (job, instance) "+identity, "{{instance}}")},
	}},
}
