package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// churners is how many requests change slices at the same time.
const churners = 16

// churn changes one slice after another at a rate.
type churn struct {
	*bench
	cancel context.CancelFunc
	wg     sync.WaitGroup
	done   atomic.Int64

	mu  sync.Mutex
	err error
}

// startChurn starts the changes. It makes none if the rate is 0.
func (b *bench) startChurn(ctx context.Context, rate int) *churn {
	ctx, cancel := context.WithCancel(ctx)
	c := &churn{bench: b, cancel: cancel}
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

func (c *churn) run(ctx context.Context, ticks <-chan struct{}) {
	for range ticks {
		// If a request were cut off, nobody would know whether the slice has changed.
		if err := c.flip(context.WithoutCancel(ctx)); err != nil {
			c.mu.Lock()
			c.err = errors.Join(c.err, err)
			c.mu.Unlock()
			return
		}
		c.done.Add(1)
	}
}

// stop ends the changes, and returns the first error.
func (c *churn) stop() error {
	c.cancel()
	c.wg.Wait()
	return c.err
}

// flip makes the first endpoint of another Service not ready. After one round over all
// Services it makes them ready again, and so on.
func (b *bench) flip(ctx context.Context) error {
	s := b.shape
	i := int(b.flipped.Add(1)) - 1
	service, ready := i%s.Services, i/s.Services%2 == 1
	if service == s.Changing() {
		return nil // its endpoint changes elsewhere
	}
	patch := fmt.Sprintf(`[{"op":"replace","path":"/endpoints/0/conditions/ready","value":%t}]`, ready)
	_, err := b.cluster.API.DiscoveryV1().EndpointSlices(s.NamespaceOfService(service)).
		Patch(ctx, s.SliceName(service, 0), types.JSONPatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		return fmt.Errorf("changing a slice: %w", err)
	}
	return nil
}
