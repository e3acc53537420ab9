// Package leak finds goroutines that a test leaves behind.
package leak

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/clusterdns/clusterdns/test/kit/await"
)

// None fails a test that leaves a goroutine behind. It gives goroutines time to end.
func None(t testing.TB) {
	t.Helper()
	known := goleak.IgnoreCurrent()
	t.Cleanup(func() {
		await.Success(t, time.Millisecond, 30*time.Second, func(context.Context) error { return goleak.Find(known) })
	})
}
