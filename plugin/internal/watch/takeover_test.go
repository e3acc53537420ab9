package watch

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube"
	"github.com/clusterdns/clusterdns/plugin/internal/state"
	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/freeport"
)

// TestTakeOver needs an API server that comes later than the server.
func TestTakeOver(t *testing.T) {
	c := controlplane.StartTest(t, controlplane.Options{})
	apply(t, c, "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n"+
		"{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop}, spec: {clusterIP: 10.96.7.7, ports: [{port: 80}]}}")
	t.Run("Same", func(t *testing.T) { testTakeOver(t, c) })
	t.Run("Fresh", func(t *testing.T) { testFreshTakeOver(t, c) })
	t.Run("Quiet", func(t *testing.T) { testQuiet(t, c) })
	t.Run("Other", func(t *testing.T) { testOtherCluster(t, c) })
	t.Run("OtherKnown", func(t *testing.T) { testKnownOtherCluster(t, c) })
}

// proxyTo returns the handler of a proxy that has all rights.
func proxyTo(t *testing.T, c *controlplane.Cluster) http.Handler {
	t.Helper()
	proxy, err := c.Proxy()
	if err != nil {
		t.Fatal(err)
	}
	return proxy
}

// serveAt makes an API server answer at an address.
func serveAt(t *testing.T, addr string, h http.Handler) {
	t.Helper()
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: h}}
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
}

func absentServer(t *testing.T) (cfg kube.Config, addr string) {
	t.Helper()
	addrs, err := freeport.Addrs(1)
	if err != nil {
		t.Fatal(err)
	}
	return kube.Config{Endpoint: "http://" + addrs[0]}, addrs[0]
}

func uid(t *testing.T, c *controlplane.Cluster) string {
	t.Helper()
	var found string
	await.True(t, time.Minute, "Namespace kube-system", func() bool {
		ns, err := c.Client().CoreV1().Namespaces().Get(t.Context(), metav1.NamespaceSystem, metav1.GetOptions{})
		if err == nil {
			found = string(ns.UID)
		}
		return err == nil
	})
	return found
}

var (
	oldService = cluster.Key{Namespace: "shop", Name: "web"} // of the API server as well
	newService = cluster.Key{Namespace: "default", Name: "kubernetes"}
)

// The restored state is whole until that of the API server is, no serial goes back, and the file is
// written anew.
func testTakeOver(t *testing.T, c *controlplane.Cluster) {
	r := keeping(t, time.Hour, time.Hour)
	cfg, addr := absentServer(t)
	of := uid(t, c)
	k := mustKeep(t, r, cfg, writeState(t, func(h *state.Header) { h.Cluster = of }), new(instance))
	await.True(t, time.Minute, "a restored state", func() bool { return k.snapshot().RestoredAsOf() != 0 })
	serveAt(t, addr, proxyTo(t, c))
	awaitTakeOver(t, k)
	k.awaitLog(t, "what the API server has now takes its place", 2)
	await.True(t, time.Minute, "a new file", func() bool {
		f, err := state.Open(k.Path)
		return err == nil && f.Header.Heard > time.Now().Add(-30*time.Second).Unix()
	})
	f, s := opened(t, k.Path)
	if f.Header.Cluster != of || s.Service(newService) == nil {
		t.Errorf("%+v with %+v", f.Header, s.Counts())
	}
}

// awaitTakeOver waits until the API server's state has taken the place of the restored one, in one
// step. No serial may go back meanwhile.
func awaitTakeOver(t *testing.T, k *kept) {
	t.Helper()
	before := k.snapshot()
	await.True(t, time.Minute, "the API server's state", func() bool {
		s := k.snapshot()
		if !s.Synced() || s.Service(oldService) == nil || s.Serial() < before.Serial() {
			t.Errorf("synced %v, %+v, serial %d after %d", s.Synced(), s.Counts(), s.Serial(), before.Serial())
		}
		if old := s.RestoredAsOf() != 0; old == (s.Service(newService) != nil) {
			t.Error("two states are mixed")
		}
		before = s
		return s.RestoredAsOf() == 0
	})
}

// A fresh state is served while the API server takes its time for a list, and then replaced. What the list
// has as the state had it is in memory once.
func testFreshTakeOver(t *testing.T, c *controlplane.Cluster) {
	r := keeping(t, time.Hour, time.Hour)
	r.times.fresh = time.Hour
	proxy, listed := proxyTo(t, c), make(chan struct{})
	list := sync.OnceFunc(func() { close(listed) })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if filepath.Base(r.URL.Path) == "services" {
			<-listed
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	t.Cleanup(list)
	of := uid(t, c)
	k := mustKeep(t, r, kube.Config{Endpoint: server.URL}, writeState(t, func(h *state.Header) { h.Cluster = of }), new(instance))
	await.True(t, time.Minute, "a restored state", func() bool { return k.snapshot().RestoredAsOf() != 0 })
	restored := k.snapshot().Service(oldService)
	list()
	awaitTakeOver(t, k)
	if k.snapshot().Service(oldService) != restored {
		t.Errorf("%+v is in memory twice", oldService)
	}
	r.sweep(nil) // the file is written before its folder goes
}

// Where nothing changes that DNS shows, the file is written now and then, so that it stays fresh.
func testQuiet(t *testing.T, c *controlplane.Cluster) {
	r := keeping(t, time.Hour, time.Millisecond)
	r.times.renew = time.Second
	proxy := httptest.NewServer(proxyTo(t, c))
	t.Cleanup(proxy.Close)
	t.Cleanup(proxy.CloseClientConnections)
	k := mustKeep(t, r, kube.Config{Endpoint: proxy.URL}, filepath.Join(t.TempDir(), "state"), new(instance))
	heard := func() int64 {
		f, err := state.Open(k.Path)
		if errors.Is(err, fs.ErrNotExist) {
			return 0
		}
		if err != nil {
			t.Fatal(err)
		}
		return f.Header.Heard
	}
	await.True(t, time.Minute, "a file", func() bool { return heard() != 0 })
	first, shown, tries := heard(), k.snapshot().Counts(), 0
	await.True(t, time.Minute, "a younger file", func() bool {
		tries++
		apply(t, c, fmt.Sprintf("{apiVersion: v1, kind: Service, metadata: {name: web, namespace: shop, annotations: {try: \"%d\"}}, spec: {ports: [{port: 80}]}}", tries))
		return heard() > first
	})
	if now := k.snapshot().Counts(); now != shown {
		t.Errorf("DNS shows %+v, after %+v", now, shown)
	}
	r.sweep(nil)
}

// A state of another cluster is served until that is known.
func testOtherCluster(t *testing.T, c *controlplane.Cluster) {
	r := keeping(t, time.Hour, time.Hour)
	cfg, addr := absentServer(t)
	k := mustKeep(t, r, cfg, writeState(t, asItIs), new(instance))
	await.True(t, time.Minute, "a restored state", func() bool { return k.snapshot().RestoredAsOf() != 0 })
	proxy := proxyTo(t, c)
	serveAt(t, addr, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if filepath.Base(r.URL.Path) == "services" {
			panic(http.ErrAbortHandler) // no sync
		}
		proxy.ServeHTTP(w, r)
	}))
	k.awaitLog(t, "no longer served: it is of another cluster", 2)
	await.True(t, time.Minute, "no state", func() bool { return !k.snapshot().Synced() })
}

// A state of a cluster that is known to be another one is not served at all.
func testKnownOtherCluster(t *testing.T, c *controlplane.Cluster) {
	r := keeping(t, time.Second, time.Hour)
	proxy := proxyTo(t, c)
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if filepath.Base(r.URL.Path) == "services" {
			<-over // no sync
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	t.Cleanup(func() { close(over) })
	k := mustKeep(t, r, kube.Config{Endpoint: server.URL}, writeState(t, asItIs), new(instance))
	k.awaitLog(t, "not used: it is of another cluster", 1)
	if k.snapshot().Synced() {
		t.Error("it is served")
	}
}
