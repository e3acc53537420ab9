package kube

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/listwatch"
)

// The Watcher requests each kind by its path and selectors, and in protobuf if the kind has
// it.
func TestRequests(t *testing.T) {
	var got http.Header
	var paths []string
	var end context.CancelFunc // of the resource whose list is read
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		paths = append(paths, r.URL.String())
		w.WriteHeader(http.StatusInternalServerError)
		end()
	})
	server := httptest.NewServer(handler)
	defer server.Close()
	_, resources, clock := newTestWriter(Config{Pods: true, MultiCluster: true, Labels: "app=web", NamespaceLabels: "team"})
	client := testClient(t, server.URL, clock)
	lists := listwatch.NewServer(client, clock, listwatch.DefaultLimits)
	lists.Plain = true
	for _, r := range resources {
		clients, err := newRESTClients(client, r)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(klog.NewContext(t.Context(), logr.Discard()))
		end = cancel
		lists.Follow(ctx, listed(r), clients, newTestStore(ctx, r, make(chan change, 9)))
		cancel()
	}
	want := []string{
		"/api/v1/services?labelSelector=app%3Dweb&limit=500",
		"/api/v1/namespaces?labelSelector=team&limit=500",
		"/apis/discovery.k8s.io/v1/endpointslices?labelSelector=app%3Dweb&limit=500",
		"/api/v1/pods?fieldSelector=status.phase%21%3DSucceeded%2Cstatus.phase%21%3DFailed%2Cstatus.phase%21%3DUnknown&labelSelector=app%3Dweb&limit=500",
		"/apis/multicluster.x-k8s.io/v1beta1/serviceimports?limit=500",
		"/apis/discovery.k8s.io/v1/endpointslices?labelSelector=app%3Dweb%2Cmulticluster.kubernetes.io%2Fservice-name&limit=500",
	}
	if !slices.Equal(paths, want) {
		t.Errorf("paths %q", paths)
	}
	if !strings.HasPrefix(got.Get("Accept"), "application/vnd.kubernetes.protobuf") {
		t.Errorf("Accept: %s", got.Get("Accept"))
	}
	if !strings.HasPrefix(got.Get("User-Agent"), "clusterdns/") {
		t.Errorf("User-Agent: %s", got.Get("User-Agent"))
	}
}

// testClient makes a client of an API server.
func testClient(t *testing.T, url string, c clock.PassiveClock) *apiserver.Client {
	t.Helper()
	client, err := apiserver.New(apiserver.Config{Endpoint: url}, apiserver.Options{
		Log: nopLogger{}, Observe: func(Request) {}, Clock: c, Silence: time.Minute, Renewals: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}
