package kube

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// hostileProxy is a proxy between a Watcher and an API server that refuses requests, cuts
// answers, leaves out bookmarks, repeats events, and says that history is forgotten. It does
// so by chance while it is hostile.
type hostileProxy struct {
	*httptest.Server
	hostile atomic.Bool
	mu      sync.Mutex
	random  *rand.Rand
	faults  map[string]int
}

func newHostileProxy(t *testing.T, c *controlplane.Cluster, seed uint64) *hostileProxy {
	t.Helper()
	proxy, err := c.Proxy()
	if err != nil {
		t.Fatal(err)
	}
	h := &hostileProxy{random: rand.New(rand.NewPCG(seed, 12)), faults: map[string]int{}}
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	proxy.ModifyResponse = h.spoil
	h.Server = httptest.NewServer(h.before(proxy))
	t.Cleanup(func() {
		h.CloseClientConnections()
		h.Close()
	})
	return h
}

// does reports whether a fault happens, once in so many times.
func (h *hostileProxy) does(fault string, in int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.hostile.Load() || h.random.IntN(in) > 0 {
		return false
	}
	h.faults[fault]++
	return true
}

// before refuses some requests.
func (h *hostileProxy) before(proxy *httputil.ReverseProxy) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set("Accept", "application/json") // which can be read line by line
		r.Header.Del("Accept-Encoding")
		switch {
		case h.does("429", 8):
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case h.does("502", 12):
			w.WriteHeader(http.StatusBadGateway)
		case h.does("no answer", 12):
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(w, r)
		}
	})
}

// spoil puts a reader with faults into the place of an answer.
func (h *hostileProxy) spoil(r *http.Response) error {
	if r.StatusCode != http.StatusOK {
		return nil
	}
	if r.Request.URL.Query().Has("watch") {
		r.Body = &spoiledWatch{hostileProxy: h, body: r.Body, lines: bufio.NewReader(r.Body)}
	} else if h.does("half a list", 6) {
		r.ContentLength = -1
		r.Header.Del("Content-Length")
		r.Body = &cutBody{r.Body, 200}
	}
	return nil
}

// cutBody ends with an error after some bytes.
type cutBody struct {
	io.ReadCloser
	left int
}

func (c *cutBody) Read(p []byte) (int, error) {
	if c.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := c.ReadCloser.Read(p[:min(len(p), c.left)])
	c.left -= n
	return n, err
}

// spoiledWatch is a watch, of which each line is an event.
type spoiledWatch struct {
	*hostileProxy
	body    io.ReadCloser
	lines   *bufio.Reader
	passed  [][]byte // the last events
	pending []byte
	failed  error
}

const expired = `{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","status":"Failure","message":"too old resource version","reason":"Expired","code":410}}` + "\n"

func (s *spoiledWatch) Read(p []byte) (int, error) {
	if len(s.pending) == 0 {
		if s.failed != nil {
			return 0, s.failed
		}
		s.next()
	}
	n := copy(p, s.pending)
	s.pending = s.pending[n:]
	return n, nil
}

func (s *spoiledWatch) Close() error { return s.body.Close() }

// next reads an event and decides what becomes of it.
func (s *spoiledWatch) next() {
	line, err := s.lines.ReadBytes('\n')
	if s.failed = err; err != nil {
		return
	}
	switch {
	case bytes.HasPrefix(line, []byte(`{"type":"BOOKMARK"`)) && !bytes.Contains(line, []byte("initial-events-end")) && s.does("no bookmark", 1):
		return
	case s.does("410", 12):
		s.pending, s.failed = []byte(expired), io.EOF
	case s.does("half an event", 12):
		s.pending, s.failed = line[:len(line)/2], io.ErrUnexpectedEOF
	case s.does("end", 12):
		s.failed = io.EOF
	case s.does("events again", 4): // as if the watch had begun anew
		s.pending = bytes.Join(append(s.passed, line, line), nil)
	default:
		s.pending = line
	}
	if s.passed = append(s.passed, line); len(s.passed) > 3 {
		s.passed = s.passed[1:]
	}
}

// String returns how often each fault happened.
func (h *hostileProxy) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return fmt.Sprint(h.faults)
}
