package controlplane

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

func TestAwaitReadyQuotesTheLogOfAFailedProcess(t *testing.T) {
	log := filepath.Join(t.TempDir(), "log")
	c, err := startChild("/bin/sh", log, "-c", "echo no such flag >&2; exit 3")
	if err != nil {
		t.Fatal(err)
	}
	err = c.awaitReady(t.Context(), func(context.Context) error { return errors.New("refused") })
	for _, want := range []string{"sh is not ready", "exit status 3", "refused", "no such flag"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not contain %q", err, want)
		}
	}
	c.kill() // does no harm to a process that has ended
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
