package kube

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// gate stands between a Watcher and an API server. It counts requests, and it
// can be shut, which ends all connections.
type gate struct {
	*httptest.Server
	mu       sync.Mutex
	shut     bool
	requests []string // paths with queries
	proxy    http.Handler
}

// newGate lets everybody through as the administrator.
func newGate(t *testing.T, c *controlplane.Cluster) *gate {
	t.Helper()
	target, err := url.Parse(c.URL())
	if err != nil {
		t.Fatal(err)
	}
	transport, err := rest.TransportFor(c.RESTConfig())
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{proxy: &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}}
	g.Server = httptest.NewServer(g)
	t.Cleanup(func() {
		g.set(true)
		g.Close()
	})
	return g
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	shut := g.shut
	g.requests = append(g.requests, r.URL.String())
	g.mu.Unlock()
	if shut {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	g.proxy.ServeHTTP(w, r)
}

// set shuts the gate or opens it.
func (g *gate) set(shut bool) {
	g.mu.Lock()
	g.shut = shut
	g.mu.Unlock()
	if shut {
		g.CloseClientConnections()
	}
}

// count counts the requests with a text in their path or query.
func (g *gate) count(text string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for _, request := range g.requests {
		if strings.Contains(request, text) {
			n++
		}
	}
	return n
}
