package kube

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// gate is a proxy between a Watcher and an API server. It counts requests. Shutting it
// closes all connections.
type gate struct {
	*httptest.Server
	mu       sync.Mutex
	shut     bool
	silent   chan struct{} // closed when the watches of before are to fall silent
	requests []string      // paths with queries
	watched  atomic.Int64  // bytes that watches of EndpointSlices have brought
	proxy    http.Handler
}

// newGate makes an open gate. It gives every client the rights of the administrator.
func newGate(t *testing.T, c *controlplane.Cluster) *gate {
	t.Helper()
	proxy, err := c.Proxy()
	if err != nil {
		t.Fatal(err)
	}
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	g := &gate{proxy: proxy}
	g.silent = make(chan struct{})
	g.Server = httptest.NewServer(g)
	t.Cleanup(func() {
		g.set(true)
		g.Close()
	})
	return g
}

func (g *gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	shut, silent := g.shut, g.silent
	g.requests = append(g.requests, r.URL.String())
	g.mu.Unlock()
	if shut {
		panic(http.ErrAbortHandler) // closes the connection without an answer
	}
	if r.URL.Query().Has("watch") {
		w = &muteable{w, r, silent, g}
	}
	g.proxy.ServeHTTP(w, r)
}

// fallSilent blocks the watches that have begun and keeps their connections open. Other answers
// are not blocked: a list that falls silent is read again, which a test may not expect.
func (g *gate) fallSilent() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.silent)
	g.silent = make(chan struct{})
}

// muteable is a watch that can fall silent.
type muteable struct {
	http.ResponseWriter
	request *http.Request
	silent  <-chan struct{}
	gate    *gate
}

// Write implements http.ResponseWriter.
func (m *muteable) Write(data []byte) (int, error) {
	select {
	case <-m.silent:
		<-m.request.Context().Done()
		return 0, m.request.Context().Err()
	default:
		if strings.Contains(m.request.URL.Path, "endpointslices") {
			m.gate.watched.Add(int64(len(data)))
		}
		return m.ResponseWriter.Write(data)
	}
}

// Unwrap lets the proxy flush.
func (m *muteable) Unwrap() http.ResponseWriter { return m.ResponseWriter }

// set shuts or opens the gate.
func (g *gate) set(shut bool) {
	g.mu.Lock()
	g.shut = shut
	g.mu.Unlock()
	if shut {
		g.CloseClientConnections()
	}
}

// count returns how many requests have a text in their path or query.
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
