package listwatch

import (
	"context"
	"testing"
	"time"
)

func TestEndingClock(t *testing.T) {
	leakless(t)
	ctx, cancel := context.WithCancel(context.Background())
	clock := endingClock{ctx: ctx}
	<-clock.After(time.Millisecond)
	long := clock.After(time.Hour)
	cancel()
	<-long
}
