package kube

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

// pagesServer is an API server that has nothing but a list of Services. A name
// in answers decides what one request gets: "410" or names of Services, with a
// final plus sign if there are more pages.
type pagesServer struct {
	mediaType string
	mu        sync.Mutex
	answers   []string
	requests  []string // the queries
}

func (p *pagesServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, r.URL.RawQuery)
	answer := p.answers[0]
	p.answers = p.answers[1:]
	w.Header().Set("Content-Type", p.mediaType)
	if answer == "410" {
		w.WriteHeader(http.StatusGone)
		_, _ = w.Write(encode(p.mediaType, &metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
			Status:   metav1.StatusFailure, Reason: metav1.StatusReasonExpired, Code: http.StatusGone,
		}))
		return
	}
	list := corev1.ServiceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceList"}}
	list.ResourceVersion = "7"
	names, more := strings.CutSuffix(answer, "+")
	if more {
		list.Continue = fmt.Sprintf("page%d", len(p.requests))
	}
	for name := range strings.FieldsSeq(names) {
		list.Items = append(list.Items, *serviceObject(name, "10.0.0.1"))
	}
	_, _ = w.Write(encode(p.mediaType, &list))
}

// encode makes a message of an object, as an API server would.
func encode(mediaType string, obj runtime.Object) []byte {
	info, _ := runtime.SerializerInfoForMediaType(codecs.SupportedMediaTypes(), mediaType)
	message, err := runtime.Encode(info.Serializer, obj)
	if err != nil {
		panic(err)
	}
	return message
}

func TestPages(t *testing.T) {
	for _, mediaType := range []string{runtime.ContentTypeJSON, runtime.ContentTypeProtobuf} {
		t.Run(mediaType, func(t *testing.T) { testPages(t, mediaType) })
	}
}

func testPages(t *testing.T, mediaType string) {
	for _, tc := range []struct {
		name     string
		answers  []string
		held     string
		requests []string
	}{
		{"one page", []string{"a b"}, "a b", []string{"limit=500"}},
		{"an empty list", []string{""}, "", []string{"limit=500"}},
		{"pages", []string{"a b+", "c+", "d"}, "a b c d", []string{"limit=500", "continue=page1&limit=500", "continue=page2&limit=500"}},
		{
			// What was there at first is not in the list that counts.
			"history is forgotten between two pages",
			[]string{"a b+", "410", "a+", "c"},
			"a c",
			[]string{"limit=500", "continue=page1&limit=500", "limit=500", "continue=page3&limit=500"},
		},
		{
			"a list that is too long to be read in pages",
			[]string{"a+", "410", "a+", "410", "a b"},
			"a b",
			[]string{"limit=500", "continue=page1&limit=500", "limit=500", "continue=page3&limit=500", ""},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			server := &pagesServer{mediaType: mediaType, answers: tc.answers}
			l, wr := newTestLister(t, server)
			got, err := l.list(context.Background(), metav1.ListOptions{ResourceVersion: "0", Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			end := got.(*listEnd)
			if end.ResourceVersion != "7" || len(end.Items) != 0 {
				t.Errorf("version %s, %d items", end.ResourceVersion, len(end.Items))
			}
			wr.changes <- l.resource.end()
			wr.apply(wr.waiting())
			var held []string
			for service := range wr.services.held.all() {
				held = append(held, service.Name)
			}
			slices.Sort(held)
			if got := strings.Join(held, " "); got != tc.held {
				t.Errorf("held %s, want %s", got, tc.held)
			}
			if !slices.Equal(server.requests, tc.requests) {
				t.Errorf("requests %q, want %q", server.requests, tc.requests)
			}
		})
	}
}

// newTestLister lists the Services of a server.
func newTestLister(t *testing.T, handler http.Handler) (*lister, *writer) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	wr, resources, clock := newTestWriter(Config{})
	client := testClient(t, server.URL, nopLogger{}, clock)
	clients, err := newRESTClients(client, resources[0])
	if err != nil {
		t.Fatal(err)
	}
	return &lister{
		resource:  resources[0],
		store:     newTestStore(context.Background(), resources[0], wr.changes),
		clients:   clients,
		outages:   client.Outages,
		clock:     clock,
		limits:    defaultLimits,
		redial:    func() {},
		renew:     func() {},
		streaming: newStreaming(client.Outages, clock),
		streams:   newPace(clock),
		watches:   newPace(clock),
		busy:      new(sync.RWMutex),
	}, wr
}

// A renewed client certificate is only shown on a new connection.
func TestUnauthorizedRedials(t *testing.T) {
	l, _ := newTestLister(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
	}))
	redials := 0
	l.redial = func() { redials++ }
	if _, err := l.watch(context.Background(), metav1.ListOptions{}); err == nil || redials != 1 {
		t.Errorf("watch: %v, %d redials", err, redials)
	}
	if _, err := l.list(context.Background(), metav1.ListOptions{}); err == nil || redials != 2 {
		t.Errorf("list: %v, %d redials", err, redials)
	}
}

func TestRequests(t *testing.T) {
	var got http.Header
	var paths []string
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header
		paths = append(paths, r.URL.String())
		w.WriteHeader(http.StatusInternalServerError)
	})
	server := httptest.NewServer(handler)
	defer server.Close()
	_, resources, clock := newTestWriter(Config{Pods: true, MultiCluster: true, Labels: "app=web", NamespaceLabels: "team"})
	client := testClient(t, server.URL, nopLogger{}, clock)
	for _, r := range resources {
		clients, err := newRESTClients(client, r)
		if err != nil {
			t.Fatal(err)
		}
		l := newStreamLister(newTestStore(t.Context(), r, make(chan change, 9)))
		l.clients, l.busy = clients, new(sync.RWMutex)
		if _, err := l.list(context.Background(), metav1.ListOptions{}); err == nil {
			t.Error("no error")
		}
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
func testClient(t *testing.T, url string, log Logger, c clock.PassiveClock) *apiserver.Client {
	t.Helper()
	client, err := apiserver.New(apiserver.Config{Endpoint: url}, apiserver.Options{
		Log: log, Observe: func(Request) {}, Clock: c, Silence: time.Minute, Renewals: time.Minute,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// testOutages makes the log of an API server's outages.
func testOutages(log Logger, c clock.PassiveClock) *apiserver.OutageLog {
	client, err := apiserver.New(apiserver.Config{Endpoint: "https://10.96.0.1:443"}, apiserver.Options{Log: log, Clock: c, Renewals: time.Minute})
	if err != nil {
		panic(err)
	}
	return client.Outages
}
