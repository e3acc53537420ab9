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
        search names
        search_suffixes node.example
        fallthrough in-addr.arpa ip6.arpa
        ttl TTL
    }
    k8s_external ext.example {
        headless
    }
    transfer {
        to * 127.0.0.71:5300
    }
    prometheus 127.0.0.1:9153
    forward . /etc/resolv.conf {
        max_concurrent 1000
    }
    cache 30 {
        success 9984 30 1
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
        search names
        search_suffixes node.example
        fallthrough in-addr.arpa ip6.arpa
        ttl TTL
    }
    k8s_external ext.example {
        headless
    }
    transfer {
        to * 127.0.0.71:5300
    }
    prometheus 127.0.0.1:9153
    forward . /etc/resolv.conf {
        max_concurrent 1000
    }
    cache 30
    loadbalance
}
`

// Each successive Corefile has another TTL. Every second has another plugin, and every
// seventh is invalid. Two of four change the watch, to one with the same objects or back,
// unless the link is silent: then no server could begin a watch.
const (
	ttls     = 20
	otherNth = 2
	watchNth = 4
	wrongNth = 7
)

func ttlOf(i int) uint32 { return uint32(5 + i%ttls) }

func otherWatch(i int) bool { return i%watchNth == watchNth-1 }

func corefileOf(i int, otherWatch bool) string {
	names, nsid := "", ""
	if otherWatch {
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
	link    *link
	other   bool // whether it has the other watch
}

func startServer(t *testing.T, w *world) *reloader {
	t.Helper()
	binary, err := filepath.Abs(*server)
	if err != nil {
		t.Fatal(err)
	}
	if raced, err = hasRace(binary); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := &reloader{path: filepath.Join(dir, "blocks"), link: w.link}
	if err := os.WriteFile(r.path, []byte(corefileOf(0, false)), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { judgeRaces(t, dir) }) // after the server has ended
	r.process = netlab.StartServer(t, netlab.Server{
		Binary: binary, Corefile: "import " + r.path + "\n", Dir: dir, Complaint: complaint,
		Env: append(w.env, "GORACE=log_path="+filepath.Join(dir, "race")),
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
		} else if err = r.next(context.WithoutCancel(ctx), i); err == nil {
			reloads++
		}
		if err != nil {
			return reloads, fmt.Errorf("reload %d: %w", i, err)
		}
	}
}

// next loads a valid Corefile. If it changes the watch, the link does not fall silent
// meanwhile.
func (r *reloader) next(ctx context.Context, i int) error {
	if otherWatch(i) != r.other && r.link.held.TryLock() {
		defer r.link.held.Unlock()
		r.other = otherWatch(i)
	}
	if err := r.load(corefileOf(i, r.other)); err != nil {
		return err
	}
	return awaitTTL(ctx, ttlOf(i))
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
