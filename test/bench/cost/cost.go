// Package cost measures what one answer costs where a name has many records: the CPU time
// of the server for each question and the octets of the reply, by the number of records and
// by what the client takes. Our server and stock CoreDNS answer from one real API server.
//
// The cost must be bounded by what fits into the reply, not by the size of the Service.
package cost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"path/filepath"
	"time"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// Options say what to measure.
type Options struct {
	Ours, Stock string        // paths of binaries; a server with an empty path is left out
	Dir         string        // folder for files; it is not removed
	Time        time.Duration // duration of each measurement
}

// counts are the numbers of endpoints of a Service, and of Services with one address.
var counts = []int{10, 100, 1000, 5000}

// Run measures and writes a table.
func Run(ctx context.Context, o Options, out io.Writer) error {
	cluster, err := controlplane.Start(ctx, controlplane.Options{})
	if err != nil {
		return err
	}
	defer cluster.Stop()
	log.Print("cost: making Services")
	if err := cluster.Apply(ctx, objects()); err != nil {
		return err
	}
	kubeconfig, err := cluster.Kubeconfig(cluster.Admin())
	if err != nil {
		return err
	}
	running, err := startServers(ctx, o, filepath.Join(o.Dir, "cost"), kubeconfig)
	if err != nil {
		return err
	}
	defer running.kill()
	fmt.Fprintf(out, "CPU time of the server for each question, in µs, and octets of the reply; each for %s.\n\n", o.Time)
	fmt.Fprintln(out, "| question | records | client takes | server | CPU | octets |\n|---|---:|---|---|---:|---:|")
	for _, q := range questions {
		for _, n := range counts {
			if err := running.measure(ctx, o.Time, q, n, out); err != nil {
				return err
			}
		}
		log.Printf("cost: %s", q.title)
	}
	return nil
}

// measure writes a row for each server and each way to ask.
func (all servers) measure(ctx context.Context, long time.Duration, q question, n int, out io.Writer) error {
	for _, w := range ways {
		for _, s := range all {
			if q.oursAlone && s.name != ours {
				continue
			}
			got, err := s.ask(ctx, long, w, q.name(n), q.qtype)
			cells := fmt.Sprintf("%.1f | %d", got.cpu.Seconds()*1e6, got.octets)
			if errors.Is(err, errNoAnswer) {
				cells = "no answer | "
			} else if err != nil {
				return fmt.Errorf("%s, %d records, %s, %s: %w", q.title, n, w.title, s.name, err)
			}
			fmt.Fprintf(out, "| %s | %d | %s | %s | %s |\n", q.title, n, w.title, s.name, cells)
		}
	}
	return nil
}
