// Package await waits, in tests, for something that will happen soon.
package await

import (
	"context"
	"errors"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// Success repeats the check until it succeeds, and ends the test if it does not within
// patience. It also works in a cleanup, after the end of the test's own context.
func Success(t testing.TB, interval, patience time.Duration, check func(context.Context) error) {
	t.Helper()
	var last error
	poll := func(ctx context.Context) (bool, error) {
		err := check(ctx)
		if ctx.Err() == nil { // otherwise the check failed because time was up
			last = err
		}
		return err == nil, nil
	}
	ctx := context.WithoutCancel(t.Context())
	if err := wait.PollUntilContextTimeout(ctx, interval, patience, true, poll); err != nil {
		t.Fatalf("not within %s: %v", patience, last)
	}
}

// End runs a function, and ends the test if the function has not come to its end within patience. what names it in
// the failure.
func End(t testing.TB, patience time.Duration, what string, run func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		run()
	}()
	select {
	case <-done:
	case <-time.After(patience):
		t.Fatalf("not within %s: %s", patience, what)
	}
}

// True waits until the condition is true. what names the condition in the failure.
func True(t testing.TB, patience time.Duration, what string, condition func() bool) {
	t.Helper()
	never := errors.New("never seen: " + what)
	Success(t, time.Millisecond, patience, func(context.Context) error {
		if condition() {
			return nil
		}
		return never
	})
}
