package await

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// fatal is a test that records why it ended.
type fatal struct {
	testing.TB
	text string
}

func (f *fatal) Fatalf(format string, args ...any) {
	f.text = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// run returns the failure of a test that waits for the check.
func run(t *testing.T, patience time.Duration, check func(context.Context) error) string {
	t.Helper()
	return end(t, func(f *fatal) { Success(f, time.Millisecond, patience, check) })
}

func end(t *testing.T, wait func(f *fatal)) string {
	t.Helper()
	f := &fatal{TB: t}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		wait(f)
	}()
	<-ended
	return f.text
}

func TestSuccess(t *testing.T) {
	tries := 0
	third := func(context.Context) error {
		if tries++; tries < 3 {
			return errors.New("not yet")
		}
		return nil
	}
	t.Cleanup(func() { Success(t, time.Millisecond, time.Minute, third) })
	if text := run(t, time.Minute, third); text != "" || tries != 3 {
		t.Errorf("ended after %d tries with %q", tries, text)
	}
	tries = 0
}

// The last error of the check is more useful than a timeout.
func TestLastError(t *testing.T) {
	tries := 0
	slow := func(ctx context.Context) error {
		if tries++; tries == 1 {
			return errors.New("no such Service")
		}
		<-ctx.Done()
		return ctx.Err()
	}
	if text := run(t, 50*time.Millisecond, slow); !strings.HasSuffix(text, "no such Service") {
		t.Errorf("ended with %q, want what was found last", text)
	}
}

func TestTrue(t *testing.T) {
	looks := 0
	second := func() bool { looks++; return looks >= 2 }
	if text := end(t, func(f *fatal) { True(f, time.Minute, "the second look", second) }); text != "" || looks != 2 {
		t.Errorf("ended after %d looks with %q", looks, text)
	}
	no := func() bool { return false }
	if text := end(t, func(f *fatal) { True(f, 10*time.Millisecond, "the sea", no) }); !strings.HasSuffix(text, "never seen: the sea") {
		t.Errorf("ended with %q, want what was waited for", text)
	}
}
