// Package starts measures how long the start of a server takes, from exec to the first answer over
// UDP, when the server before it was killed, and the memory that it takes then: the server of
// deploy/node with its file, and stock CoreDNS with the Corefiles of NodeLocal DNSCache and of kubeadm.
// All are started in turn beside one real API server, so that a disturbance affects all of them.
package starts

import (
	"context"
	"fmt"
	"io"
	"log"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/clusterdns/clusterdns/test/bench/proc"
	benchserver "github.com/clusterdns/clusterdns/test/bench/server"
	"github.com/clusterdns/clusterdns/test/kit/process"
	"github.com/clusterdns/clusterdns/test/refcluster"
)

// Options say what to measure, and how often.
type Options struct {
	Ours, Stock string // paths of binaries
	Cluster     *refcluster.Cluster
	Dir         string // folder for files; it is not removed
	Upstream    string // address of a server for outside names
	Known       string // name of the cluster with an A record
	Rounds      int
	Busy        int // number of processes that keep the machine busy meanwhile
}

// Run measures and writes a table.
func Run(ctx context.Context, o Options, out io.Writer) error {
	s := benchserver.Single{Binary: o.Stock, Path: filepath.Join(o.Dir, "starts-upstream"), Known: o.Known, Corefile: func(port string) string {
		return o.kubeadm(port)
	}}
	central, behind, err := s.Start(ctx)
	if err != nil {
		return err
	}
	defer behind.Kill()
	stop, err := o.keepBusy()
	if err != nil {
		return err
	}
	defer stop()
	before := proc.ReadLoad()
	all, err := programs(o, central)
	if err != nil {
		return err
	}
	for round := range o.Rounds {
		for _, p := range all {
			if err := p.start(ctx, round > 0); err != nil {
				return fmt.Errorf("%s: %w", p.title, err)
			}
		}
		log.Printf("starts: round %d of %d", round+1, o.Rounds)
	}
	for _, p := range all {
		if err := p.rest(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.title, err)
		}
	}
	return publish(all, o.Busy, before, out)
}

// keepBusy starts processes that take as much of the machine as they get, until stop is called.
func (o Options) keepBusy() (stop func(), err error) {
	var all []*process.Process
	stop = func() {
		for _, p := range all {
			p.Kill()
		}
	}
	for range o.Busy {
		p, err := process.StartCommand(exec.Command("sh", "-c", "while :; do :; done"), filepath.Join(o.Dir, "starts-busy.log"))
		if err != nil {
			stop()
			return nil, err
		}
		all = append(all, p)
	}
	return stop, nil
}

// publish writes the medians, and the least and the most.
func publish(all []*program, busy int, before proc.Load, out io.Writer) error {
	fmt.Fprintf(out, "From exec to the first answer, %d starts each, %d processes that keep the machine busy; %s.\n\n", len(all[0].starts), busy, proc.ReadLoad().Since(before))
	fmt.Fprintln(out, "| server | first answer: median (least to most) | CPU time until then | peak RSS until it is quiet, of it anonymous then |\n|---|---|---|---|")
	for _, p := range all {
		took := spread(p.starts, func(s start) time.Duration { return s.took })
		cpu := spread(p.starts, func(s start) time.Duration { return s.cpu })
		if _, err := fmt.Fprintf(out, "| %s | %s | %s | %.1f MB, %.1f MB |\n", p.title, took, cpu, p.memory.Peak/1e6, p.memory.Anonymous/1e6); err != nil {
			return err
		}
	}
	return nil
}

func spread(all []start, of func(start) time.Duration) string {
	values := make([]time.Duration, 0, len(all))
	for _, s := range all {
		values = append(values, of(s))
	}
	slices.Sort(values)
	ms := func(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }
	return fmt.Sprintf("%d ms (%d to %d)", ms(values[len(values)/2]), ms(values[0]), ms(values[len(values)-1]))
}
