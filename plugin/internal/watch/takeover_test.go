package watch

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
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
