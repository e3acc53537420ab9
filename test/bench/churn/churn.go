// Package churn changes EndpointSlices of the reference cluster at a rate.
package churn

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterdns/clusterdns/test/refcluster"
)

// churners is how many requests change slices at the same time.
const churners = 16

// Source changes slices of Services, one Service after another. It knows what is changed, so
// a cluster must have one alone.
type Source struct {
	cluster  *refcluster.Cluster
	services []int
	flipped  atomic.Int64 // number of changed slices
}

// NewSource returns a source for the given Services of a cluster in its initial state.
func NewSource(cluster *refcluster.Cluster, services []int) *Source {
	return &Source{cluster: cluster, services: services}
}

// Churn is a number of changes in progress.
type Churn struct {
	source *Source
	cancel context.CancelFunc
	wg     sync.WaitGroup
	done   atomic.Int64

	mu  sync.Mutex
	err error
}

// Start starts changes, so many a second. It makes none if the rate is 0.
func (s *Source) Start(ctx context.Context, rate int) *Churn {
	ctx, cancel := context.WithCancel(ctx)
	c := &Churn{source: s, cancel: cancel}
	if rate == 0 {
		return c
	}
	ticks := make(chan struct{})
	c.wg.Go(func() { pace(ctx, rate, ticks) })
	for range churners {
		c.wg.Go(func() { c.run(ctx, ticks) })
	}
	return c
}

// pace sends ticks until the context ends. It drops ticks that it cannot send in time.
func pace(ctx context.Context, rate int, ticks chan<- struct{}) {
	defer close(ticks)
	ticker := time.NewTicker(time.Second / time.Duration(rate))
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		select {
		case <-ctx.Done():
			return
		case ticks <- struct{}{}:
		}
	}
}

func (c *Churn) run(ctx context.Context, ticks <-chan struct{}) {
	for range ticks {
		// If a request were cut off, nobody would know whether the slice has changed.
		if err := c.source.flip(context.WithoutCancel(ctx)); err != nil {
			c.mu.Lock()
			c.err = errors.Join(c.err, err)
			c.mu.Unlock()
			return
		}
		c.done.Add(1)
	}
}

// Done returns the number of changes that have been made.
func (c *Churn) Done() int64 { return c.done.Load() }

// Stop ends the changes, and returns the first error.
func (c *Churn) Stop() error {
	c.cancel()
	c.wg.Wait()
	return c.err
}

// flip makes the first endpoint of another Service not ready. After one round over all
// Services it makes them ready again, and so on.
func (s *Source) flip(ctx context.Context) error {
	i := int(s.flipped.Add(1)) - 1
	service, ready := s.services[i%len(s.services)], i/len(s.services)%2 == 1
	patch := fmt.Sprintf(`[{"op":"replace","path":"/endpoints/0/conditions/ready","value":%t}]`, ready)
	shape := s.cluster.Shape
	_, err := s.cluster.API.DiscoveryV1().EndpointSlices(shape.NamespaceOfService(service)).
		Patch(ctx, shape.SliceName(service, 0), types.JSONPatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("changing a slice: %w", err)
	}
	return nil
}
