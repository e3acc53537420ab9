package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/clusterdns/clusterdns/test/bench/churn"
	"github.com/clusterdns/clusterdns/test/bench/cost"
	"github.com/clusterdns/clusterdns/test/bench/fair"
	"github.com/clusterdns/clusterdns/test/bench/oracle"
	"github.com/clusterdns/clusterdns/test/bench/proc"
	"github.com/clusterdns/clusterdns/test/bench/queries"
	"github.com/clusterdns/clusterdns/test/bench/report"
	"github.com/clusterdns/clusterdns/test/bench/search"
	"github.com/clusterdns/clusterdns/test/bench/server"
	"github.com/clusterdns/clusterdns/test/bench/starts"
	"github.com/clusterdns/clusterdns/test/bench/watches"
	"github.com/clusterdns/clusterdns/test/kit/stock"
	"github.com/clusterdns/clusterdns/test/refcluster"
)

// ratios are the ratios that the project makes promises about.
var ratios = []report.Ratio{
	{Of: server.Ours, To: server.Stock}, {Of: server.Ours, To: server.Knot}, {Of: server.Chain, To: server.Stock},
	{Of: server.Lines, To: server.Ours}, {Of: server.Lines, To: server.StockLines}, {Of: server.Top, To: server.Ours}, {Of: server.TopChain, To: server.Chain}, {Of: server.Handed, To: server.StockHanded},
	{Of: server.Ours, To: server.Before}, {Of: server.Chain, To: server.BeforeChain},
}

// bench has the input and the results of a measurement.
type bench struct {
	options
	dir          string // removed at the end
	oracle       *oracle.Oracle
	sets         []queries.Set
	files        map[string]string // paths of the question files, by name of the set
	setup        server.Setup
	upstream     *upstream
	cluster      *refcluster.Cluster
	clusterPlain bool // the cluster refuses streaming lists
	made         int  // number of Services that were added
	removed      int  // number of added Services that were removed
	churn        *churn.Source
	changed      int // number of addresses that the changing endpoint has had
	report       *report.Report
	notes        []string  // remarks for readers of the table
	problems     []string  // reasons not to trust the figures
	atStart      proc.Load // load of the machine at the start
}

func newBench(o options) (*bench, error) {
	var columns []string
	for _, kind := range o.kinds {
		columns = append(columns, kind.Name)
	}
	b := &bench{
		options: o, oracle: oracle.New(o.shape), files: map[string]string{},
		report: report.New(columns, ratios...), atStart: proc.ReadLoad(),
	}
	var err error
	if b.sets, err = queries.Choose(queries.Sets(o.shape, b.oracle), o.sets); err != nil {
		return nil, err
	}
	if b.dir, err = os.MkdirTemp("", "clusterdns-bench-"); err != nil {
		return nil, err
	}
	if err := b.prepare(); err != nil {
		b.stop()
		return nil, err
	}
	return b, nil
}

// prepare writes the files that the programs need.
func (b *bench) prepare() (err error) {
	for _, set := range b.sets {
		b.files[set.Name] = filepath.Join(b.dir, set.Name+".queries")
		if err := writeQueries(b.files[set.Name], set); err != nil {
			return err
		}
	}
	if b.upstream, err = startUpstream(b.oracle); err != nil {
		return err
	}
	b.setup = server.Setup{ZoneDir: b.dir, Upstream: b.upstream.address, Verified: b.verified}
	if err := server.WriteZones(b.oracle, b.dir); err != nil {
		return err
	}
	return b.copyPrograms()
}

func writeQueries(path string, set queries.Set) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(set.Write(file), file.Close())
}

// copyPrograms copies the binaries, so that all runs measure the same programs even if
// somebody builds others meanwhile.
func (b *bench) copyPrograms() (err error) {
	if b.stock == "" {
		if b.stock, err = stock.Build(); err != nil {
			return err
		}
	}
	b.setup.Ours, b.setup.Stock = filepath.Join(b.dir, "clusterdns"), filepath.Join(b.dir, "stock")
	programs := map[string]string{b.setup.Ours: b.bin, b.setup.Stock: b.stock}
	if b.before != "" {
		b.setup.Before = filepath.Join(b.dir, "clusterdns-before")
		programs[b.setup.Before] = b.before
	}
	for to, from := range programs {
		if err := copyProgram(to, from); err != nil {
			return fmt.Errorf("no binary to measure: %w", err)
		}
	}
	return nil
}

// copyProgram copies in small pieces, as a program arrives on a machine. Written at once,
// it would be in huge pages of the page cache, and each of those that is touched counts as
// a whole: that makes 17 MB of RSS.
func copyProgram(to, from string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	// The wrappers hide other methods, so that no system call copies the file at once.
	_, err = io.Copy(struct{ io.Writer }{target}, struct{ io.Reader }{source})
	return errors.Join(err, target.Close())
}

func (b *bench) stop() {
	b.stopCluster()
	if b.upstream != nil {
		b.upstream.stop()
	}
	os.RemoveAll(b.dir)
}

func (b *bench) run(ctx context.Context) error {
	if b.watchers() {
		if err := b.startCluster(ctx, b.plain); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		wanted  bool
		measure func(context.Context) error
	}{
		{b.has(partCPU) || b.has(partLatency), b.measureFleet},
		{b.has(partTransports) && b.watchers(), b.measureTransports},
		{b.has(partMemory) && b.watchers(), b.measureMemory},
		{b.has(partChanges) && b.watchers(), b.measureChanges},
		{b.has(partSearch), b.measureSearch},
		{b.has(partFair), b.measureFair},
		{b.has(partCost), b.measureCost},
		{b.has(partWatches), b.measureWatches},
		{b.has(partStarts), b.measureStarts},
	} {
		if !part.wanted {
			continue
		}
		if err := part.measure(ctx); err != nil {
			return err
		}
	}
	return nil
}

// measureSearch measures look-ups through the search path, and prints them.
func (b *bench) measureSearch(ctx context.Context) error {
	return search.Run(ctx, search.Options{
		Ours: b.setup.Ours, Stock: b.setup.Stock, Dir: b.dir,
		Rounds: b.rounds, LookUps: 100, Delay: 5 * time.Millisecond,
	}, os.Stdout)
}

// measureFair measures how much polite clients lose while another one floods the server,
// and prints it.
func (b *bench) measureFair(ctx context.Context) error {
	o := fair.Options{Dir: b.dir, Time: b.loadTime()}
	if b.floods != "" {
		o.Floods = strings.Split(b.floods, ",")
	}
	o.Ours, o.Stock = b.oursAndStock()
	return fair.Run(ctx, o, os.Stdout)
}

// measureCost measures what an answer costs where a name has many records, and prints it.
func (b *bench) measureCost(ctx context.Context) error {
	o := cost.Options{Dir: b.dir, Time: b.loadTime() / 4}
	o.Ours, o.Stock = b.oursAndStock()
	return cost.Run(ctx, o, os.Stdout)
}

// measureWatches measures what the API server does for the watches of many nodes, and prints it.
func (b *bench) measureWatches(ctx context.Context) error {
	b.stopCluster()
	if err := b.startCluster(ctx, b.plain); err != nil {
		return err
	}
	return watches.Run(ctx, watches.Options{Cluster: b.cluster, Time: 4 * b.loadTime(), Sizes: b.nodes}, os.Stdout)
}

// measureStarts measures how long a start takes until the first answer, and prints it.
func (b *bench) measureStarts(ctx context.Context) error {
	b.stopCluster()
	if err := b.startCluster(ctx, b.plain); err != nil {
		return err
	}
	o := starts.Options{Cluster: b.cluster, Dir: b.dir, Upstream: b.upstream.address, Known: b.oracle.ServiceName(b.shape.VirtualServices(1)[0]), Rounds: 1 + b.changes/10, Busy: b.busy}
	o.Ours, o.Stock = b.setup.Ours, b.setup.Stock
	return starts.Run(ctx, o, os.Stdout)
}

// oursAndStock returns the paths of the two binaries, empty for one that is not chosen.
func (b *bench) oursAndStock() (ours, stock string) {
	for _, k := range b.kinds {
		switch k.Name {
		case server.Ours:
			ours = b.setup.Ours
		case server.Stock:
			stock = b.setup.Stock
		}
	}
	return ours, stock
}

// startCluster starts a cluster in its initial state.
func (b *bench) startCluster(ctx context.Context, plain bool) error {
	dir, err := os.MkdirTemp(b.dir, "cluster-")
	if err != nil {
		return err
	}
	if b.cluster, err = refcluster.Start(ctx, refcluster.Options{Shape: b.shape, Dir: dir, Plain: plain}); err != nil {
		return err
	}
	b.clusterPlain = plain
	b.churn = churn.NewSource(b.cluster, b.churned())
	b.setup.Kubeconfig = b.cluster.Config
	return b.cluster.Warm(ctx)
}

// churned returns the Services whose slices change: all but the one whose endpoint changes elsewhere.
func (b *bench) churned() []int {
	all := slices.Concat(b.shape.HeadlessServices(b.shape.Services), b.shape.VirtualServices(b.shape.Services))
	slices.Sort(all)
	return all
}

func (b *bench) stopCluster() {
	if b.cluster != nil {
		b.cluster.Stop()
		b.cluster = nil
	}
}

// problem records a reason not to trust a figure.
func (b *bench) problem(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	log.Print(text)
	if !slices.Contains(b.problems, text) {
		b.problems = append(b.problems, text)
	}
}
