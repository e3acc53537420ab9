package listwatch

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// pagesServer is an API server with nothing but a list of Services. Each of its answers is
// for one request: "410" or names of Services, with a final plus sign if there are more
// pages.
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
		list.Items = append(list.Items, *serviceObject(name))
	}
	_, _ = w.Write(encode(p.mediaType, &list))
}

// encode returns an object as a message, like an API server.
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
			// The objects of the first attempt are not in the list that counts.
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
			l, held := newTestLister(t, server)
			got, err := l.list(context.Background(), metav1.ListOptions{ResourceVersion: "0", Limit: 1})
			if err != nil {
				t.Fatal(err)
			}
			end := got.(*listEnd)
			if end.ResourceVersion != "7" || len(end.Items) != 0 {
				t.Errorf("version %s, %d items", end.ResourceVersion, len(end.Items))
			}
			if got := held.all(); got != tc.held {
				t.Errorf("held %s, want %s", got, tc.held)
			}
			if !slices.Equal(server.requests, tc.requests) {
				t.Errorf("requests %q, want %q", server.requests, tc.requests)
			}
		})
	}
}

// Only a new connection uses a renewed client certificate.
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

// A request that ends because another kind has closed all connections is made again, once.
func TestC1RequestsOutliveARedial(t *testing.T) {
	for _, tc := range []struct {
		name     string
		redials  bool
		requests int64
	}{{"a redial", true, 2}, {"another reason", false, 1}} {
		t.Run(tc.name, func(t *testing.T) {
			var requests, redials atomic.Int64
			l, held := newTestLister(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if requests.Add(1) == 1 {
					if tc.redials {
						redials.Add(1)
					}
					panic(http.ErrAbortHandler) // closes the connection
				}
				(&pagesServer{mediaType: runtime.ContentTypeProtobuf, answers: []string{"a b"}}).ServeHTTP(w, r)
			}))
			l.redials = redials.Load
			_, err := l.list(t.Context(), metav1.ListOptions{})
			if (err == nil) != tc.redials || requests.Load() != tc.requests {
				t.Errorf("%v after %d requests", err, requests.Load())
			}
			if tc.redials && held.all() != "a b" {
				t.Errorf("held %q", held.all())
			}
		})
	}
}
