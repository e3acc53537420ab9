package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/rules"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
)

const (
	// patience is how long the queries may take to have data, on a busy machine.
	patience = 3 * time.Minute
	// scrapeInterval is the time between two scrapes by Prometheus' clock, which the test turns
	// on faster than the world's: some queries look back for hours.
	scrapeInterval = 2 * time.Minute
)

// TestQueriesHaveData asks every query of the dashboard and of the rules about two live
// servers, one of which may not read its cluster. Both also have a dead upstream. A query
// without data fails.
func TestQueriesHaveData(t *testing.T) {
	p := newMonitor(t)
	binary := buildServer(t)
	upstreams := []string{startUpstream(t), freeAddresses(t, 1)[0]}
	servers := map[string]server{
		"whole":     startServer(t, binary, startAPIServer(t), upstreams, "GOMEMLIMIT=150MiB"),
		"forbidden": startServer(t, binary, startForbidding(t), upstreams),
	}
	queries := allQueries(t)
	defer func() {
		if p.hasData(t, "coredns_clusterdns_no_such_metric") {
			t.Error("what does not exist has data")
		}
	}()
	for deadline := time.Now().Add(patience); len(queries) > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("no data within %s:\n%s", patience, strings.Join(queries, "\n"))
		}
		p.clock = p.clock.Add(scrapeInterval)
		for name, s := range servers {
			s.ask("udp")
			s.ask("tcp")
			p.append(t, name, s.scrape(t))
		}
		p.evaluateRules(t)
		queries = slices.DeleteFunc(queries, func(query string) bool { return p.hasData(t, query) })
	}
}

// allQueries returns what must have data: the queries of the dashboard, and of the rules each
// part that is neither a comparison nor a choice.
func allQueries(t *testing.T) (queries []string) {
	t.Helper()
	for _, expr := range dashboardQueries(t) {
		queries = append(queries, append(selectors(t, expr), expr)...)
	}
	for _, r := range parse[ruleGroups](t, ruleFile).rules() {
		queries = append(queries, selectors(t, r.Expr)...)
		queries = append(queries, operands(parsed(t, r.Expr))...)
	}
	slices.Sort(queries)
	return slices.Compact(queries)
}

// dashboardQueries returns the queries in the dashboard's file, with values for Grafana's
// variables.
func dashboardQueries(t *testing.T) (queries []string) {
	t.Helper()
	var board struct {
		Panels []struct {
			Type    string
			Targets []struct{ Expr string }
		}
		Templating struct {
			List []struct{ Type, Query string }
		}
	}
	if err := json.Unmarshal(read(t, "dashboard.json"), &board); err != nil {
		t.Fatal(err)
	}
	values := strings.NewReplacer("$__rate_interval", "5m", "$job", ".+", "$instance", ".+")
	for _, p := range board.Panels {
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Error("a panel without a query")
		}
		for _, target := range p.Targets {
			queries = append(queries, values.Replace(target.Expr))
		}
	}
	for _, v := range board.Templating.List {
		if v.Type == "query" {
			metric, _, _ := strings.Cut(strings.TrimPrefix(v.Query, "label_values("), ", ")
			queries = append(queries, values.Replace(metric))
		}
	}
	if len(queries) < 30 {
		t.Fatalf("%d queries in the dashboard", len(queries))
	}
	return queries
}

var promQL = parser.NewParser(parser.Options{})

func parsed(t *testing.T, expr string) parser.Expr {
	t.Helper()
	e, err := promQL.ParseExpr(expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return e
}

// selectors returns the series that a query selects, each as a query of the last hour.
func selectors(t *testing.T, expr string) (found []string) {
	t.Helper()
	parser.Inspect(parsed(t, expr), func(node parser.Node, _ []parser.Node) error {
		if s, ok := node.(*parser.VectorSelector); ok {
			bare := *s
			bare.OriginalOffset = 0
			found = append(found, "count_over_time("+bare.String()+"[1h])")
		}
		return nil
	})
	return found
}

// operands returns the parts of an alert's expression that have values while it is silent.
func operands(expr parser.Expr) []string {
	switch e := expr.(type) {
	case *parser.ParenExpr:
		return operands(e.Expr)
	case *parser.NumberLiteral:
		return nil
	case *parser.Call:
		if e.Func.Name == "absent" {
			return nil // its selector has to have data
		}
	case *parser.BinaryExpr:
		if e.Op.IsComparisonOperator() || e.Op.IsSetOperator() {
			return append(operands(e.LHS), operands(e.RHS)...)
		}
	}
	return []string{expr.String()}
}

func TestOperands(t *testing.T) {
	for expr, want := range map[string][]string{
		"a == 0":                            {"a"},
		"(rate(a[5m]) / rate(b[5m])) > 0.1": {"rate(a[5m]) / rate(b[5m])"},
		"a > 500 and a > 5 * b":             {"a", "a", "5 * b"},
		"a > 0 or (b / c) > 0.1":            {"a", "b / c"},
		"absent(a)":                         nil,
		"time() - a > 300":                  {"time() - a"},
		"a > 0.9 * b and on (job) c":        {"a", "0.9 * b", "c"},
	} {
		if got := operands(parsed(t, expr)); !slices.Equal(got, want) {
			t.Errorf("%s has the operands %q, want %q", expr, got, want)
		}
	}
	if got := selectors(t, `absent(a) or rate(b{c="d"}[5m] offset 1h)`); len(got) != 2 {
		t.Errorf("selectors %q", got)
	}
}

// monitor is the database, the engine and the rules of a Prometheus.
type monitor struct {
	clock  time.Time
	db     *tsdb.DB
	engine *promql.Engine
	groups map[string]*rules.Group
}

func newMonitor(t *testing.T) *monitor {
	t.Helper()
	db, err := tsdb.Open(t.TempDir(), nil, nil, tsdb.DefaultOptions(), nil)
	if err != nil {
		t.Fatal(err)
	}
	engine := promql.NewEngine(promql.EngineOpts{MaxSamples: 1e6, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: promQL})
	t.Cleanup(func() { _, _ = engine.Close(), db.Close() })
	manager := rules.NewManager(&rules.ManagerOptions{
		QueryFunc: rules.EngineQueryFunc(engine, db), AppendableV2: db, Queryable: db, Context: t.Context(), Parser: promQL,
		NotifyFunc: func(context.Context, string, ...*rules.Alert) {},
	})
	groups, errs := manager.LoadGroups(scrapeInterval, labels.EmptyLabels(), "", nil, false, ruleFile)
	if len(errs) > 0 {
		t.Fatal(errors.Join(errs...))
	}
	return &monitor{clock: time.Now(), db: db, engine: engine, groups: groups}
}

// append stores what a target has answered, as Prometheus does. No text means that it did not.
func (p *monitor) append(t *testing.T, instance string, text []byte) {
	t.Helper()
	target := labels.FromStrings("job", "kube-dns", "instance", instance)
	app := p.db.AppenderV2(t.Context())
	add := func(series labels.Labels, value float64) {
		b := labels.NewBuilder(series)
		target.Range(func(l labels.Label) { b.Set(l.Name, l.Value) })
		if _, err := app.Append(0, b.Labels(), 0, p.clock.UnixMilli(), value, nil, nil, storage.AOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	up := 0.0
	if text != nil {
		up = 1
		samples(t, text, add)
	}
	add(labels.FromStrings("__name__", "up"), up)
	if err := app.Commit(); err != nil {
		t.Fatal(err)
	}
}

// samples calls add for each sample in the text format.
func samples(t *testing.T, text []byte, add func(labels.Labels, float64)) {
	t.Helper()
	p := textparse.NewPromParser(text, labels.NewSymbolTable(), false)
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if entry == textparse.EntrySeries {
			var series labels.Labels
			p.Labels(&series)
			_, _, value := p.Series()
			add(series, value)
		}
	}
}

func (p *monitor) evaluateRules(t *testing.T) {
	t.Helper()
	for _, group := range p.groups {
		group.Eval(t.Context(), p.clock)
		for _, r := range group.Rules() {
			if r.LastError() != nil {
				t.Fatalf("%s: %v", r.Name(), r.LastError())
			}
		}
	}
}

// hasData reports whether the query has a value that is a number.
func (p *monitor) hasData(t *testing.T, query string) bool {
	t.Helper()
	q, err := p.engine.NewInstantQuery(t.Context(), p.db, nil, query, p.clock)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer q.Close()
	result := q.Exec(t.Context())
	if result.Err != nil {
		t.Fatalf("%s: %v", query, result.Err)
	}
	switch value := result.Value.(type) {
	case promql.Scalar:
		return true
	case promql.Vector:
		return slices.ContainsFunc(value, func(s promql.Sample) bool { return !math.IsNaN(s.F) })
	default:
		t.Fatal(fmt.Errorf("%s is a %s", query, value.Type()))
		return false
	}
}
