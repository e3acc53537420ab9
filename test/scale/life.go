package main

import (
	"context"
	"os"
	"strings"
	"time"
)

// life is one process from its start to its end.
type life struct {
	*bench
	column string
	server *server
	peak   *peakWatch
	dns    *resolver
}

func (b *bench) runLife(ctx context.Context, column string) error {
	if err := b.warm(ctx); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(b.dir, "life-")
	if err != nil {
		return err
	}
	server, err := startServer(b.binaries[column], dir, b.kubeconfig, b.verified)
	if err != nil {
		return err
	}
	defer server.kill()
	l := &life{bench: b, column: column, server: server, peak: watchPeak(ctx, server.pid)}
	defer l.peak.stop()
	if l.dns, err = newResolver(server.dns); err != nil {
		return err
	}
	defer l.dns.close()
	return l.run(ctx)
}

func (l *life) run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		l.measureStart, l.measureRest, l.measureChanges, l.measureChangeCost, l.measureNames, l.measureRelist, l.measureHeap,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// add puts a figure into the table.
func (l *life) add(figure string, value float64) { l.report.add(figure, l.column, value) }

func (l *life) addBytes(figure string, bytes float64) { l.add(figure+", MB", bytes/1e6) }

func (l *life) addMillis(figure string, d time.Duration) {
	l.add(figure+", ms", float64(d)/float64(time.Millisecond))
}

func (l *life) measureStart(ctx context.Context) error {
	ready, err := l.server.awaitReady(ctx)
	if err != nil {
		return err
	}
	now, err := readUsage(l.server.pid)
	if err != nil {
		return err
	}
	l.add("ready after, s", ready.Seconds())
	l.add("CPU until ready, s", now.cpu.used.Seconds())
	l.add("waited for a CPU until ready, thread-s", now.cpu.waited.Seconds())
	l.addBytes("read until ready", now.read)
	l.addBytes("peak RSS until ready", now.peak)
	l.add("wrong answers when ready", float64(l.wrongAnswers()))
	return nil
}

// usage is what a process has used since its start.
type usage struct {
	memory
	cpu  cpuTime
	read float64
}

func readUsage(pid int) (u usage, err error) {
	if u.cpu, err = readCPU(pid); err != nil {
		return u, err
	}
	if u.memory, err = readMemory(pid); err != nil {
		return u, err
	}
	u.read, err = readBytes(pid)
	return u, err
}

// wrongAnswers asks each steady question once.
func (l *life) wrongAnswers() (wrong int) {
	for _, q := range l.steady {
		got, err := l.dns.ask(q.qname)
		if err != nil {
			got = err.Error()
		}
		if got != q.want {
			logf("wrong answer: %s: %q, want %q", strings.TrimSuffix(q.qname, "."), got, q.want)
			wrong++
		}
	}
	return wrong
}

func (l *life) measureRest(ctx context.Context) error {
	quiet, err := awaitQuiet(ctx, l.server.pid)
	if err != nil {
		return err
	}
	now, err := readUsage(l.server.pid)
	if err != nil {
		return err
	}
	l.addBytes("peak RSS until quiet", quiet.peak)
	l.addBytes("peak of its anonymous part", l.peak.read())
	l.addBytes("RSS when quiet", quiet.rss)
	l.addBytes("its anonymous part", quiet.anonymous)
	l.add("CPU until quiet, s", now.cpu.used.Seconds())
	l.add("CPU when idle, ms/s", quiet.cpu*1000)
	return nil
}

func (l *life) measureHeap(ctx context.Context) error {
	heap, err := l.server.liveHeap(ctx)
	if err != nil {
		return err
	}
	l.addBytes("live heap after the relist", heap)
	return nil
}
