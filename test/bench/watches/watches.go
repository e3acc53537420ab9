package watches

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/clusterdns/clusterdns/test/bench/churn"
	"github.com/clusterdns/clusterdns/test/bench/proc"
	"github.com/clusterdns/clusterdns/test/refcluster"
)

// Options say what to measure.
type Options struct {
	Cluster *refcluster.Cluster
	Time    time.Duration // duration of each measurement
	Sizes   []int         // numbers of nodes, rising
}

// rate is how many slices change each second.
const rate = 200

// late is how long events may take to all nodes after the last change.
const late = 5 * time.Second

// Run measures and writes a table.
func Run(ctx context.Context, o Options, out io.Writer) error {
	shape := o.Cluster.Shape
	changes := churn.NewSource(o.Cluster, shape.VirtualServices(shape.Services))
	fmt.Fprintf(out, "%d changes/s of EndpointSlices of ordinary Services for %s, in a cluster of %s. Octets as they come over the connection.\n\n", rate, o.Time, shape)
	fmt.Fprintln(out, "| watches as | nodes | changes/s | events/s to a node | octets/s to a node | API server's CPU, cores | for each node, ms/s | API server's RSS, MB |")
	fmt.Fprintln(out, "|---|---:|---:|---:|---:|---:|---:|---:|")
	none, err := o.measure(ctx, kinds[0], 0, changes)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "| none | 0 | %.0f | - | - | %.2f | - | %.0f |\n", none.changes, none.cores, none.megabytes)
	for _, k := range kinds {
		for _, size := range o.Sizes {
			f, err := o.measure(ctx, k, size, changes)
			if err != nil {
				return fmt.Errorf("%s, %d nodes: %w", k.name, size, err)
			}
			if f.behind > 0 {
				fmt.Fprintf(out, "| %s | %d | more than the machine holds: %d of %.0f events were missing %s after the last change | | | | | |\n", k.name, size, f.behind, f.due, late)
				break
			}
			fmt.Fprintf(out, "| %s | %d | %.0f | %.1f | %.0f | %.2f | %.3f | %.0f |\n", k.name, size, f.changes, f.events, f.octets,
				f.cores, 1000*(f.cores-none.cores)/float64(size), f.megabytes)
		}
	}
	return nil
}

// figures are what was measured with a number of nodes. Rates are for each second; those of
// events and octets for each node, too.
type figures struct {
	changes, events, octets float64
	cores, megabytes        float64
	due                     float64 // events for all nodes
	behind                  int     // events that did not arrive in time
}

// measure lets nodes watch while slices change.
func (o Options) measure(ctx context.Context, k kind, size int, source *churn.Source) (f figures, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var got counts
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	if err := o.start(ctx, k, size, &got, &running); err != nil {
		return f, err
	}
	if err := sleep(ctx, time.Second); err != nil { // for what came with the connections
		return f, err
	}
	process := o.Cluster.APIServerID()
	began, octets := time.Now(), got.octets.Load()
	before, err := proc.ReadTicks(process)
	if err != nil {
		return f, err
	}
	c := source.Start(ctx, rate)
	err = errors.Join(sleep(ctx, o.Time), c.Stop())
	if err != nil {
		return f, err
	}
	if k.changing() {
		f.due = float64(c.Done()) * float64(size)
	}
	f.behind = await(ctx, &got, int64(f.due))
	took := time.Since(began).Seconds()
	after, err := proc.ReadTicks(process)
	if err != nil {
		return f, err
	}
	memory, err := proc.ReadMemory(process)
	f.changes, f.cores, f.megabytes = float64(c.Done())/took, (after-before).Seconds()/took, memory.RSS/1e6
	if size > 0 {
		f.events, f.octets = float64(got.events.Load())/took/float64(size), float64(got.octets.Load()-octets)/took/float64(size)
	}
	log.Printf("watches: %s, %d nodes", k.name, size)
	return f, err
}

// changing reports whether the slices that change are watched.
func (k kind) changing() bool { return k.watches[0].selector != isHeadless }

// start starts nodes, and returns when all watch.
func (o Options) start(ctx context.Context, k kind, size int, got *counts, running *sync.WaitGroup) error {
	list, err := o.Cluster.API.DiscoveryV1().EndpointSlices(metav1.NamespaceAll).List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil {
		return err
	}
	config := o.Cluster.RESTConfig()
	const atOnce = 32
	return refcluster.Parallel(ctx, atOnce, size, func(_ context.Context, _ int) error {
		n, err := newNode(config, got)
		if err != nil {
			return err
		}
		return n.follow(ctx, k, list.ResourceVersion, running)
	})
}

// await waits until all events are there, and returns how many are missing at the end.
func await(ctx context.Context, got *counts, due int64) int {
	_ = wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, late, true, func(context.Context) (bool, error) {
		return got.events.Load() >= due, nil
	})
	return int(max(0, due-got.events.Load()))
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
