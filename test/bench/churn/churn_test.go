package churn

import (
	"context"
	"testing"
)

func TestPaceEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	ticks := make(chan struct{})
	go pace(ctx, 1000, ticks)
	<-ticks
	cancel()
	for range ticks { // until the channel is closed
	}
}
