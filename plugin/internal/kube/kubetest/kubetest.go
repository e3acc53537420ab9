// Package kubetest has what the tests of the Kubernetes side share.
package kubetest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// The manifests of a Service with one address. Tests change them by replacing text.
const (
	WebService = `apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
spec:
  clusterIP: 10.0.0.1
  ports:
  - name: http
    port: 80
`
	WebSlice = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: web-x
  namespace: shop
  labels: {kubernetes.io/service-name: web}
addressType: IPv4
endpoints:
- addresses: [10.1.0.1]
`
	WebPod = `apiVersion: v1
kind: Pod
metadata: {name: web-0, namespace: shop}
status: {phase: Running, podIPs: [{ip: 10.1.0.1}]}
`
	ShopImports = `
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata: {name: store, namespace: shop}
spec: {type: ClusterSetIP, ips: [10.42.0.1, "fd42::1"], ports: [{name: http, protocol: TCP, port: 80}]}
---
apiVersion: multicluster.x-k8s.io/v1alpha1
kind: ServiceImport
metadata: {name: web, namespace: shop}
spec: {type: Headless, ports: [{name: http, port: 80}]}
`
)

// Write writes files, whose names may have folders in them.
func Write(t testing.TB, folder string, contents map[string]string) {
	t.Helper()
	for name, text := range contents {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Recorder is a Logger that keeps its lines.
type Recorder struct {
	mu    sync.Mutex
	lines []string
}

func (r *Recorder) add(level, format string, args []any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, level+" "+fmt.Sprintf(format, args...))
}

// Infof keeps a line of the level INFO.
func (r *Recorder) Infof(format string, args ...any) { r.add("INFO", format, args) }

// Warningf keeps a line of the level WARNING.
func (r *Recorder) Warningf(format string, args ...any) { r.add("WARNING", format, args) }

// Errorf keeps a line of the level ERROR.
func (r *Recorder) Errorf(format string, args ...any) { r.add("ERROR", format, args) }

// All returns the lines so far.
func (r *Recorder) All() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.lines)
}

// With returns the lines that contain a text.
func (r *Recorder) With(text string) []string {
	return slices.DeleteFunc(r.All(), func(line string) bool { return !strings.Contains(line, text) })
}

// Expect checks that these lines were written, and no others.
func (r *Recorder) Expect(t testing.TB, want ...string) {
	t.Helper()
	if got := r.All(); !slices.Equal(got, want) {
		t.Errorf("log: %q\nwant %q", got, want)
	}
}

// Hanging is a server that begins an answer as the test wants and then keeps the connection open.
func Hanging(t testing.TB, begin func(w http.ResponseWriter)) *httptest.Server {
	t.Helper()
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin(w)
		select {
		case <-r.Context().Done():
		case <-over:
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(over) })
	return server
}
