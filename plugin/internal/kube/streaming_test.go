package kube

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/listwatch"
)

// encode returns an object as a message, like an API server.
func encode(mediaType string, obj runtime.Object) []byte {
	info, _ := runtime.SerializerInfoForMediaType(codecs.SupportedMediaTypes(), mediaType)
	message, err := runtime.Encode(info.Serializer, obj)
	if err != nil {
		panic(err)
	}
	return message
}

// oddServer is an API server with faulty streaming lists. Everything else works, and every
// kind is empty.
type oddServer struct {
	stream func(w http.ResponseWriter, r *http.Request)
	list   func(w http.ResponseWriter, r *http.Request) // nil for one that works

	mu       sync.Mutex
	streamed int
	listed   int
}

func newOddServer(t *testing.T, odd *oddServer) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(odd)
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	return server
}

func (o *oddServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	query := r.URL.Query()
	switch {
	case query.Get("sendInitialEvents") == "true":
		o.count(&o.streamed)
		o.stream(w, r)
	case query.Get("watch") == "true":
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	case query.Get("limit") == "1" || o.list == nil:
		o.count(&o.listed)
		kind, version := kindOf(r)
		_, _ = fmt.Fprintf(w, `{"kind":"%sList","apiVersion":%q,"metadata":{"resourceVersion":"7"},"items":[]}`, kind, version)
	default:
		o.count(&o.listed)
		o.list(w, r)
	}
}

func (o *oddServer) count(n *int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	*n++
}

func (o *oddServer) counts() (streamed, listed int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.streamed, o.listed
}

// kindOf returns the kind of the objects in the path, and its version.
func kindOf(r *http.Request) (kind, version string) {
	kinds := map[string]string{"services": "Service", "namespaces": "Namespace", "endpointslices": "EndpointSlice"}
	path := strings.Split(r.URL.Path, "/")
	version = "v1"
	if strings.Contains(r.URL.Path, "discovery") {
		version = "discovery.k8s.io/v1"
	}
	return kinds[path[len(path)-1]], version
}

// writeObject writes an event of a list with an object of the kind in the path.
func writeObject(w http.ResponseWriter, r *http.Request) {
	kind, version := kindOf(r)
	_, _ = fmt.Fprintf(w, `{"type":"ADDED","object":{"kind":%q,"apiVersion":%q,"metadata":{"name":"a","namespace":"b","resourceVersion":"5"}}}`+"\n",
		kind, version)
	_ = http.NewResponseController(w).Flush()
}

// C13: streaming lists that end before their bookmark, or never have one, are abandoned
// after the second of a kind, with one log line.
func TestC13StreamingListsThatBreakOff(t *testing.T) {
	for name, stream := range map[string]func(http.ResponseWriter, *http.Request){
		"ends after an object": writeObject,
		"never has the bookmark": func(w http.ResponseWriter, r *http.Request) {
			writeObject(w, r)
			<-r.Context().Done()
		},
		"never has anything": func(w http.ResponseWriter, r *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		},
		"goes on without the bookmark": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				writeObject(w, r)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			odd := &oddServer{stream: stream}
			api, log := newOddServer(t, odd), new(kubetest.Recorder)
			quick := listwatch.DefaultLimits
			quick.Stall, quick.Stream = 1100*time.Millisecond, 1500*time.Millisecond // longer than what a reflector takes for no watch at all
			w, err := New(Config{Endpoint: api.URL}, Options{Log: log, limits: quick})
			if err != nil {
				t.Fatal(err)
			}
			start(t, w)
			<-w.Synced()
			// Three kinds, each tried twice at most.
			if streamed, _ := odd.counts(); streamed > 3*2 {
				t.Errorf("%d streaming lists", streamed)
			}
			if lines := log.All(); len(lines) != 1 || !strings.Contains(lines[0], "breaks off streaming lists of") {
				t.Errorf("log: %q", lines)
			}
		})
	}
}

// C3: a plain list that is cut off is logged as such, even after a refused streaming list.
func TestC3CutListIsNotForbidden(t *testing.T) {
	odd := &oddServer{
		stream: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", runtime.ContentTypeJSON)
			w.WriteHeader(http.StatusUnprocessableEntity)
			_, _ = w.Write(encode(runtime.ContentTypeJSON, &metav1.Status{
				TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
				Reason: metav1.StatusReasonInvalid, Code: http.StatusUnprocessableEntity, Message: "sendInitialEvents: Forbidden",
			}))
		},
		list: func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"kind":"List","items":[`)) },
	}
	api, log := newOddServer(t, odd), new(kubetest.Recorder)
	w, err := New(Config{Endpoint: api.URL, NoEndpoints: true}, Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	start(t, w)
	eventually(t, "lines", func() bool { return len(log.All()) >= 2 })
	for _, line := range log.All() {
		if strings.Contains(line, "sendInitialEvents") || !strings.Contains(line, "unexpected EOF") {
			t.Error(line)
		}
	}
}

// C13: a list of another kind is no list. No objects in it would mean that all are gone.
func TestC13ListOfAnotherKind(t *testing.T) {
	for name, body := range map[string]string{
		"no kind": `{}`, "a status": `{"kind":"Status","apiVersion":"v1","status":"Failure"}`, "others": `{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"7"}}`,
	} {
		t.Run(name, func(t *testing.T) { expectRefusedList(t, body, "expected an object of kind ServiceList, found kind") })
	}
}

// C13: pages of a list that lead to themselves have an end.
func TestC13PageNamesItself(t *testing.T) {
	expectRefusedList(t, `{"kind":"ServiceList","apiVersion":"v1","metadata":{"resourceVersion":"7","continue":"x"}}`, errSamePage)
}

const errSamePage = "a page of the list names itself as the next page"

// expectRefusedList expects that a list with this body is logged as an error, and never shown.
func expectRefusedList(t *testing.T, body, want string) {
	t.Helper()
	odd := &oddServer{
		stream: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnprocessableEntity) },
		list: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", runtime.ContentTypeJSON)
			_, _ = io.WriteString(w, body)
		},
	}
	api, log := newOddServer(t, odd), new(kubetest.Recorder)
	w, err := New(Config{Endpoint: api.URL, NoEndpoints: true}, Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	start(t, w)
	eventually(t, "a line", func() bool { return strings.Contains(strings.Join(log.All(), "\n"), want) })
	select {
	case <-w.Synced():
		t.Error("synced")
	default:
	}
}

// C2: a server that answers 429 to everything causes one log line, and gets no request
// earlier than it asks for.
func TestC2RetryAfter(t *testing.T) {
	busy := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	}
	odd := &oddServer{stream: busy, list: busy}
	api, log := newOddServer(t, odd), new(kubetest.Recorder)
	w, err := New(Config{Endpoint: api.URL, NoEndpoints: true}, Options{Log: log})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	start(t, w)
	eventually(t, "a line", func() bool { return len(log.All()) > 0 })
	eventually(t, "more requests", func() bool { streamed, _ := odd.counts(); return streamed >= 8 })
	if took := time.Since(begun); took < 3*time.Second {
		t.Errorf("two kinds, four requests each, in %s", took)
	}
	if lines := log.All(); len(lines) != 1 || !strings.Contains(lines[0], "because it has too many, retrying: 429 Too Many Requests") {
		t.Errorf("log: %q", lines)
	}
}
