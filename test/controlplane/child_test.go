package controlplane

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestAwaitReadyQuotesTheLogOfAFailedProcess(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	c, err := startChild("/bin/sh", log, "-c", "echo no such flag >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	wantError(t, c.awaitReady(t.Context(), refuse), "sh is not ready", "exit status 3", "no such flag")
	c.kill() // does no harm to a process that has ended
}

func TestAwaitReadyQuotesTheLastProbe(t *testing.T) {
	c, err := startChild("/bin/sleep", filepath.Join(t.TempDir(), "log"), "60")
	if err != nil {
		t.Fatal(err)
	}
	defer c.kill()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	wantError(t, c.awaitReady(ctx, refuse), "sleep is not ready", "deadline exceeded", "refused")
}

func TestStartChildThatDoesNotExist(t *testing.T) {
	if _, err := startChild("/nonexistent", filepath.Join(t.TempDir(), "log")); err == nil {
		t.Error("no error")
	}
}

// A reserved port serves one listener after the other, even while connections of
// the former linger.
func TestReservedPort(t *testing.T) {
	p, err := reservePort()
	if err != nil {
		t.Fatal(err)
	}
	defer p.release()
	address := strings.TrimPrefix(p.url("tcp"), "tcp://")
	if connection, err := net.Dial("tcp", address); err == nil {
		connection.Close()
		t.Error("a reserved port accepts connections by itself")
	}
	for range 2 {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		client, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		server, err := listener.Accept()
		if err != nil {
			t.Fatal(err)
		}
		server.Close()
		listener.Close()
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
