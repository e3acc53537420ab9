package process

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAwaitReadyQuotesTheLogOfAFailedProcess(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	c, err := Start("/bin/sh", log, "-c", "echo no such flag >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, c.AwaitReady(t.Context(), refuse), "sh is not ready", "exit status 3", "no such flag")
	c.Kill() // has no effect on a process that has ended
}

func TestAwaitReadyQuotesTheLastProbe(t *testing.T) {
	c, err := Start("/bin/sleep", filepath.Join(t.TempDir(), "log"), "60")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	wantError(t, c.AwaitReady(ctx, refuse), "sleep is not ready", "deadline exceeded", "refused")
}

func TestStartWhatDoesNotExist(t *testing.T) {
	if _, err := Start("/nonexistent", filepath.Join(t.TempDir(), "log")); err == nil {
		t.Error("no error")
	}
}

func refuse(context.Context) error { return errors.New("refused") }

func wantError(t *testing.T, err error, wants ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range wants {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not contain %q", err, want)
		}
	}
}
