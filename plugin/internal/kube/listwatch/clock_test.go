package listwatch

import (
	"context"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/kit/leak"
)

func TestEndingClock(t *testing.T) {
	leak.None(t)
	ctx, cancel := context.WithCancel(context.Background())
	clock := endingClock{ctx: ctx}
	<-clock.After(time.Millisecond)
	long := clock.After(time.Hour)
	cancel()
	<-long
}
