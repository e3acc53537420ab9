package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/clusterdns/clusterdns/test/bench/dnsperf"
	"github.com/clusterdns/clusterdns/test/bench/oracle"
	"github.com/clusterdns/clusterdns/test/bench/proc"
	"github.com/clusterdns/clusterdns/test/bench/queries"
	"github.com/clusterdns/clusterdns/test/bench/server"
)

// life is one process from its start to its end.
type life struct {
	*bench
	p      *server.Process
	prefix string // prefix of the table's rows
	peak   *proc.PeakWatch
	most   float64 // largest RSS so far
	dns    *awaiter
}

// measureMemory measures one life of each server after another, in several rounds.
func (b *bench) measureMemory(ctx context.Context) error {
	if err := b.writeEveryName(); err != nil {
		return err
	}
	for _, v := range b.variants() {
		if err := b.useVariant(ctx, v); err != nil {
			return err
		}
		for run := range min(b.runs, mostLives) {
			for _, kind := range b.ofOneOptions() {
				log.Printf("run %d of %d: memory, %s, %s", run+1, min(b.runs, mostLives), v, kind.Name)
				if err := b.runLife(ctx, kind, v.String()+": "); err != nil {
					return fmt.Errorf("%s: %s: %w", kind.Name, v, err)
				}
			}
		}
	}
	return nil
}

// mostLives is the number of rounds: memory varies little.
const mostLives = 3

// variant is how the API server sends lists, and the mode of Pods in the Corefile.
type variant struct{ plain, verified bool }

func (v variant) String() string {
	lists, pods := "streaming lists", "pods insecure"
	if v.plain {
		lists = "plain lists"
	}
	if v.verified {
		pods = "pods verified"
	}
	return lists + ", " + pods
}

func (b *bench) variants() []variant {
	if b.quick || b.plain || b.verified {
		return []variant{{b.plain, b.verified}}
	}
	return []variant{{false, false}, {false, true}, {true, false}, {true, true}}
}

func (b *bench) useVariant(ctx context.Context, v variant) error {
	b.setup.Verified = v.verified
	if b.clusterPlain == v.plain {
		return nil
	}
	b.stopCluster()
	return b.startCluster(ctx, v.plain)
}

func (b *bench) everyNameFile() string { return filepath.Join(b.dir, "every-name.queries") }

// writeEveryName writes questions for each name of the cluster, and for types without
// records.
func (b *bench) writeEveryName() error {
	var all queries.Set
	for _, owner := range b.oracle.Owners(oracle.Domain) {
		for _, qtype := range everyType {
			all.Questions = append(all.Questions, queries.Question{Name: owner, Type: qtype})
		}
	}
	return writeQueries(b.everyNameFile(), all)
}

func (b *bench) runLife(ctx context.Context, kind server.Kind, prefix string) error {
	if err := b.cluster.Warm(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(b.dir, "life-")
	if err != nil {
		return err
	}
	p, err := server.Start(kind, b.setup, dir)
	if err != nil {
		return err
	}
	defer p.Kill()
	l := &life{bench: b, p: p, prefix: prefix, peak: proc.WatchPeak(ctx, p.ID())}
	defer l.peak.Stop()
	if l.dns, err = newAwaiter(p.DNS); err != nil {
		return err
	}
	defer l.dns.close()
	return l.run(ctx)
}

func (l *life) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		l.measureStart, l.measureRest, l.measureRelist, l.measureReload, l.measureNames,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	l.addBytes("peak RSS of all", l.most)
	return nil
}

// add puts a figure into the table.
func (l *life) add(figure string, value float64) {
	l.report.Add(l.prefix+figure, l.p.Kind.Name, value)
}

func (l *life) addBytes(figure string, bytes float64) { l.add(figure+", MB", bytes/1e6) }

func (l *life) measureStart(ctx context.Context) error {
	ready, err := l.p.AwaitReady(ctx)
	if err != nil {
		return err
	}
	now, err := proc.ReadUsage(l.p.ID())
	if err != nil {
		return err
	}
	l.add("ready after, s", ready.Seconds())
	l.add("CPU until ready, s", now.CPU.Used.Seconds())
	l.addBytes("read until ready", now.Read)
	wrong := 0
	for _, set := range l.steady() {
		wrong += l.checkAnswers(ctx, l.p.Kind.Name, l.p.DNS, set)
	}
	l.add("wrong answers when ready", float64(wrong))
	return nil
}

// steady returns the sets whose answers do not change.
func (b *bench) steady() []queries.Set {
	return slices.DeleteFunc(queries.Sets(b.shape, b.oracle), func(set queries.Set) bool {
		return !strings.HasPrefix(set.Name, "service-") && !strings.HasPrefix(set.Name, "headless-")
	})
}

func (l *life) measureRest(ctx context.Context) error {
	quiet, err := proc.AwaitQuiet(ctx, l.p.ID())
	if err != nil {
		return err
	}
	now, err := proc.ReadUsage(l.p.ID())
	if err != nil {
		return err
	}
	l.addPeak("start through sync", now.Memory)
	l.addBytes("RSS when quiet", quiet.RSS)
	l.addBytes("its anonymous part", quiet.Anonymous)
	l.add("CPU until quiet, s", now.CPU.Used.Seconds())
	l.add("CPU when idle, ms/s", quiet.CPU*1000)
	return nil
}

// addPeak adds the peaks since the last beginPeak to the table.
func (l *life) addPeak(of string, now proc.Memory) {
	l.most = max(l.most, now.Peak)
	l.addBytes("peak RSS, "+of, now.Peak)
	l.addBytes("peak of its anonymous part, "+of, l.peak.Read())
}

// beginPeak resets both peaks.
func (l *life) beginPeak() error {
	l.peak.Reset()
	return proc.ResetPeak(l.p.ID())
}

// measureReload measures a reload of the Corefile, as after a change.
func (l *life) measureReload(ctx context.Context) error {
	if err := l.beginPeak(); err != nil {
		return err
	}
	began := time.Now()
	if err := l.p.Reload(ctx); err != nil {
		return err
	}
	l.add("reloaded after, s", time.Since(began).Seconds())
	if _, err := proc.AwaitQuiet(ctx, l.p.ID()); err != nil {
		return err
	}
	now, err := proc.ReadMemory(l.p.ID())
	if err != nil {
		return err
	}
	l.addPeak("reload", now)
	return nil
}

// measureNames measures the live heap before and after a question for every name.
func (l *life) measureNames(ctx context.Context) error {
	heap, err := l.p.LiveHeap(ctx)
	if err != nil {
		return err
	}
	l.addBytes("live heap, nothing asked", heap)
	if err := l.beginPeak(); err != nil {
		return err
	}
	load := dnsperf.Load{Server: l.p.DNS, File: l.everyNameFile(), Mode: "udp", Once: true}
	if _, err := dnsperf.Run(ctx, load); err != nil {
		return err
	}
	now, err := proc.ReadMemory(l.p.ID())
	if err != nil {
		return err
	}
	l.addPeak("every name asked", now)
	if heap, err = l.p.LiveHeap(ctx); err != nil {
		return err
	}
	l.addBytes("live heap, every name asked", heap)
	return nil
}
