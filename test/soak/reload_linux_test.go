//go:build soak

package soak

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/netlab"
)

// reloadEvery is the time between two reloads.
const reloadEvery = 3 * time.Second

const (
	wildcardPort = 53
	boundPort    = 5353
	readyAddr    = "127.0.0.1:8181"
	metricsAddr  = "127.0.0.1:9153"
)

// corefile is kubeadm's Corefile for two listeners.
const corefile = `
.:53 {
    errors
    ready 127.0.0.1:8181
    NSID
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods verified
        NAMES
        fallthrough in-addr.arpa ip6.arpa
        ttl TTL
    }
    prometheus 127.0.0.1:9153
    forward . /etc/resolv.conf
    cache 30 {
        disable success cluster.local
        disable denial cluster.local
    }
    loadbalance
}
.:5353 {
    bind 10.244.0.53
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods verified
        NAMES
        fallthrough in-addr.arpa ip6.arpa
        ttl TTL
    }
    prometheus 127.0.0.1:9153
    forward . /etc/resolv.conf
    cache 30
    loadbalance
}
`

// Each successive Corefile has another TTL. Every second has another plugin, every fourth
// another watch with the same objects, and every seventh is invalid.
const (
	ttls     = 20
	otherNth = 2
	watchNth = 4
	wrongNth = 7
)

func ttlOf(i int) uint32 { return uint32(5 + i%ttls) }

func corefileOf(i int) string {
	names, nsid := "", ""
	if i%watchNth == watchNth-1 {
		names = "endpoint_pod_names"
	}
	if i%otherNth == otherNth-1 {
		nsid = "nsid"
	}
	return strings.NewReplacer("NAMES", names, "NSID", nsid, "TTL", fmt.Sprint(ttlOf(i))).Replace(corefile)
}

// reloader is a running server with the Corefile that it imports.
type reloader struct {
	process *netlab.Process
	path    string
}

func startServer(t *testing.T, env []string) *reloader {
	t.Helper()
	binary, err := filepath.Abs(*server)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := &reloader{path: filepath.Join(dir, "blocks")}
	if err := os.WriteFile(r.path, []byte(corefileOf(0)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { judgeRaces(t, dir) }) // after the server has ended
	r.process = netlab.StartServer(t, netlab.Server{
		Binary: binary, Corefile: "import " + r.path + "\n", Dir: dir, Complaint: complaint,
		Env: append(env, "GORACE=log_path="+filepath.Join(dir, "race")),
	})
	r.process.Eventually(t, netlab.Ready(readyAddr))
	return r
}

// reload loads one Corefile after another until the context ends, and completes the last
// reload. During a reload there may be no metrics.
func (r *reloader) reload(ctx context.Context) (reloads int, err error) {
	tick := time.NewTicker(reloadEvery)
	defer tick.Stop()
	for i := 1; ; i++ {
		select {
		case <-ctx.Done():
			return reloads, nil
		case <-tick.C:
		}
		if i%wrongNth == 0 {
			err = r.load("nonsense {\n")
		} else if err = r.load(corefileOf(i)); err == nil {
			reloads++
			err = awaitTTL(context.WithoutCancel(ctx), ttlOf(i))
		}
		if err != nil {
			return reloads, fmt.Errorf("reload %d: %w", i, err)
		}
	}
}

func (r *reloader) load(text string) error {
	if err := os.WriteFile(r.path, []byte(text), 0o600); err != nil {
		return err
	}
	return syscall.Kill(r.process.ID(), syscall.SIGUSR1)
}

// awaitTTL waits until both listeners answer by the Corefile.
func awaitTTL(ctx context.Context, want uint32) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(netlab.Patience)
	for {
		select {
		case <-deadline:
			return fmt.Errorf("no listener has the TTL %d after %s", want, netlab.Patience)
		case <-tick.C:
		}
		if ttlAt(ctx, wildcardPort) == want && ttlAt(ctx, boundPort) == want {
			return nil
		}
	}
}

// ttlAt returns the TTL of the probe, or 0.
func ttlAt(ctx context.Context, port int) uint32 {
	m, err := message(probe)
	if err != nil {
		return 0
	}
	r, err := exchange(ctx, m, fmt.Sprintf("%s:%d", serverAddr, port))
	if err != nil || len(r.Answer) == 0 {
		return 0
	}
	return r.Answer[0].Header().Ttl
}
