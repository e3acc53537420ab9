package live

import (
	"context"
	"fmt"
	"log"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/cmd/coredns/bundle"
	"github.com/clusterdns/clusterdns/plugin/commands"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/locked"
)

const (
	// patience is how long a change may take to show. A client that waits for an API server
	// may need a retry, which is seconds away.
	patience = 90 * time.Second
	// interval is the time between two attempts.
	interval = 10 * time.Millisecond
)

func TestMain(m *testing.M) {
	if err := dnsserver.SetDirectives(bundle.Directives); err != nil {
		log.Fatal(err)
	}
	if os.Getenv(commandVariable) != "" {
		os.Exit(commands.Explain(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	caddy.Quiet, dnsserver.Quiet = true, true
	if corefile := os.Getenv(serverVariable); corefile != "" {
		serveUntilKilled(corefile)
	}
	log.SetOutput(&logged)
	code := m.Run()
	everybodys.stop()
	if n := watches(); n > 0 && code == 0 {
		fmt.Fprintf(os.Stderr, "%d kinds of object are still watched when all servers have ended\n", n)
		code = 1
	}
	if code != 0 {
		fmt.Fprintf(os.Stderr, "end of the servers' log:\n%s", logged.tail())
	}
	os.Exit(code)
}

// logged has the log of all servers.
var logged logBuffer

type logBuffer struct{ locked.Buffer }

// tail returns the end of the log.
func (b *logBuffer) tail() string {
	lines := strings.SplitAfter(b.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-50):], "")
}

// mentioning returns the lines that contain all words.
func (b *logBuffer) mentioning(words ...string) []string {
	var found []string
	for line := range strings.Lines(b.String()) {
		if containsAll(line, words) {
			found = append(found, line)
		}
	}
	return found
}

func containsAll(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// eventually fails the test when the check does not succeed in time.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	await.Success(t, interval, patience, func(context.Context) error { return check() })
}
