package transfer

import (
	"context"
	"io"
	"log"
	"os"
	"testing"
	"time"

	"github.com/coredns/caddy"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/secondary"
	_ "github.com/coredns/coredns/plugin/tls"
	_ "github.com/coredns/coredns/plugin/transfer"

	_ "github.com/clusterdns/clusterdns/plugin/k8s_external"
	_ "github.com/clusterdns/clusterdns/plugin/k8s_gateway"
	_ "github.com/clusterdns/clusterdns/plugin/kubernetes"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

const (
	// patience is how long a change may take on a busy machine.
	patience = 60 * time.Second
	// interval is the time between two attempts.
	interval = 50 * time.Millisecond
)

// corefileVariable is an environment variable with the Corefile of a process that must be a
// server and not a test. Serials belong to a process, so two servers need two processes.
const corefileVariable = "CLUSTERDNS_TEST_COREFILE"

func TestMain(m *testing.M) {
	coredns.KnowGateway()
	if path := os.Getenv(corefileVariable); path != "" {
		serve(path)
		return
	}
	os.Exit(m.Run())
}

// serve serves until standard input ends. SIGUSR1 makes it reload, as the command does.
func serve(path string) {
	caddy.SetDefaultCaddyfileLoader("file", caddy.LoaderFunc(func(string) (caddy.Input, error) {
		text, err := os.ReadFile(path)
		return coredns.Input(string(text)), err
	}))
	caddy.TrapSignals()
	corefile, err := caddy.LoadCaddyfile("dns")
	if err != nil {
		log.Fatal(err)
	}
	server, err := coredns.Start(corefile)
	if err != nil {
		log.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
	server.Stop()
}

// eventually fails the test when the check does not succeed in time.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	await.Success(t, interval, patience, func(context.Context) error { return check() })
}
