package apiserver

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/kubetest"
)

// counting is a transport that counts requests and answers with a body.
type counting struct {
	sent     atomic.Int32
	underway atomic.Int32
	most     atomic.Int32
	blocked  chan struct{} // if not nil, requests wait for it
}

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	c.sent.Add(1)
	defer c.underway.Add(-1)
	if n := c.underway.Add(1); n > c.most.Load() {
		c.most.Store(n)
	}
	if c.blocked != nil {
		select {
		case <-c.blocked:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("{}"))}, nil
}

func newTestThrottle(next http.RoundTripper, limits Config) *throttle {
	return newThrottle(next, limits, newOutageLog(new(kubetest.Recorder), clock.RealClock{}, ""), func() {}, testOptions())
}

// try sends a request, and gives up after a moment if it has to wait. A busy machine may
// let that moment pass before it sends.
func try(rt http.RoundTripper, url string) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	return send(ctx, rt, url)
}

func send(ctx context.Context, rt http.RoundTripper, url string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	return rt.RoundTrip(r)
}

const (
	listURL  = "http://x/api/v1/services?limit=500"
	pageURL  = listURL + "&continue=abc"
	watchURL = "http://x/api/v1/services?watch=true"
)

// D1: with a rate so low that no token returns during the test, only the burst passes.
func TestD1RateLimit(t *testing.T) {
	for _, tc := range []struct {
		name   string
		limits Config
		url    string
		want   int32
	}{
		{"lists", Config{QPS: 0.0001, Burst: 3}, listURL, 3},
		{"watches count", Config{QPS: 0.0001, Burst: 3}, watchURL, 3},
		{"pages count if a rate is given", Config{QPS: 0.0001, Burst: 3}, pageURL, 3},
		{"the default burst", Config{QPS: 0.0001}, listURL, 10},
		{"pages of a list are one list by default", Config{Burst: 3}, pageURL, 15},
	} {
		t.Run(tc.name, func(t *testing.T) {
			next := new(counting)
			throttled := newTestThrottle(next, tc.limits)
			for range 15 {
				_, _ = try(throttled, tc.url)
			}
			if got := next.sent.Load(); got != tc.want {
				t.Errorf("%d requests were sent, want %d", got, tc.want)
			}
		})
	}
}

// D1: the limits in the Corefile reach the client.
func TestD1LimitsReachTheClient(t *testing.T) {
	var asked atomic.Int32
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"kind": "ServiceList", "apiVersion": "v1"}`)
	}))
	defer api.Close()
	_, client := servicesClient(t, Config{Endpoint: api.URL, QPS: 0.0001, Burst: 2, MaxInflight: 1}, testOptions())
	// A request that would wait longer than its context lasts fails at once.
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for i := range 5 {
		err := client.Get().Resource("services").Do(ctx).Error()
		if (err == nil) != (i < 2) {
			t.Errorf("request %d: %v", i+1, err)
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("%d requests were sent, want the burst of 2", n)
	}
}

func TestDefaultRate(t *testing.T) {
	for _, tc := range []struct {
		limits Config
		want   float32
	}{{Config{}, 5}, {Config{Burst: 3}, 5}, {Config{QPS: 2}, 2}} {
		if got := newTestThrottle(nil, tc.limits).rate.QPS(); got != tc.want {
			t.Errorf("%+v: %v requests a second", tc.limits, got)
		}
	}
}

// D1: the number of simultaneous lists is limited.
func TestD1MaxInflight(t *testing.T) {
	const limit, requests = 2, 9
	next := &counting{blocked: make(chan struct{})}
	throttled := newTestThrottle(next, Config{QPS: 1e6, Burst: 1e6, MaxInflight: limit})
	var wg sync.WaitGroup
	for range requests {
		wg.Go(func() {
			r, _ := http.NewRequest(http.MethodGet, listURL, nil)
			response, err := throttled.RoundTrip(r)
			if err != nil {
				t.Error(err)
				return
			}
			response.Body.Close()
		})
	}
	eventually(t, "the slots to fill", func() bool { return next.underway.Load() == limit })
	close(next.blocked)
	wg.Wait()
	if next.most.Load() != limit || next.sent.Load() != requests {
		t.Errorf("%d requests at once, %d in all", next.most.Load(), next.sent.Load())
	}
}

// A list keeps its slot until its body is closed, a watch until its answer begins.
func TestSlots(t *testing.T) {
	throttled := newTestThrottle(new(counting), Config{MaxInflight: 1})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 3 {
		if _, err := send(ctx, throttled, watchURL); err != nil {
			t.Fatalf("a watch keeps its slot: %v", err)
		}
	}
	response, err := send(ctx, throttled, listURL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := try(throttled, listURL); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("two lists at once: %v", err)
	}
	response.Body.Close()
	response.Body.Close() // gives back one slot, not two
	if response, err = send(ctx, throttled, listURL); err != nil {
		t.Fatalf("a slot is lost: %v", err)
	}
	if _, err := try(throttled, listURL); err == nil {
		t.Error("a slot too many")
	}
	response.Body.Close()
}

// slowRate makes each request wait for a second.
type slowRate struct {
	flowcontrol.RateLimiter
	clock *clocktesting.FakeClock
}

func (s slowRate) Wait(context.Context) error {
	s.clock.Step(time.Second)
	return nil
}

// A watch is measured when its answer begins, any other request when its answer has been
// read. A request without an answer is measured too.
func TestRequested(t *testing.T) {
	var seen []Request
	clock := clocktesting.NewFakeClock(time.Now())
	throttled := newTestThrottle(&counting{}, Config{})
	throttled.observe = func(r Request) { seen = append(seen, r) }
	throttled.clock, throttled.rate = clock, slowRate{clock: clock}
	if _, err := try(throttled, watchURL); err != nil {
		t.Fatal(err)
	}
	response, err := try(throttled, listURL)
	if err != nil {
		t.Fatal(err)
	}
	clock.Step(time.Second)
	if len(seen) != 1 {
		t.Errorf("told before the answer was read: %+v", seen)
	}
	response.Body.Close()
	response.Body.Close()
	throttled.next = failing{}
	if _, err := try(throttled, "http://[::1]:6443/api/v1/pods"); err == nil {
		t.Error("no error")
	}
	want := []Request{
		{Method: "GET", Host: "x", Code: "200", Watch: true, Waited: time.Second, Took: time.Second},
		{Method: "GET", Host: "x", Code: "200", Waited: time.Second, Took: 2 * time.Second},
		{Method: "GET", Host: "[::1]:6443", Code: "<error>", Waited: time.Second, Took: time.Second},
	}
	if !slices.Equal(seen, want) {
		t.Errorf("%+v", seen)
	}
}

type failing struct{}

func (failing) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("connection refused")
}

func TestSlotOfFailedRequest(t *testing.T) {
	throttled := newTestThrottle(failing{}, Config{MaxInflight: 1})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for range 3 {
		if _, err := send(ctx, throttled, listURL); err == nil || err.Error() != "connection refused" {
			t.Errorf("%v", err)
		}
	}
}

// A dial that completes after the dialer has closed returns no connection.
func TestDialerCloses(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	d := newDialer(time.Minute)
	address := listener.Addr().String()
	conn, err := d.dial(context.Background(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	d.redial()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a connection stays: %v", err)
	}
	if conn, err = d.dial(context.Background(), "tcp", address); err != nil {
		t.Fatal(err)
	}
	d.close()
	if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a connection stays: %v", err)
	}
	if conn, err := d.dial(context.Background(), "tcp", address); err == nil {
		t.Errorf("dialled %v after the end", conn.RemoteAddr())
	}
}

// C2: client-go waits for as long as an answer says, so that is bounded on both sides.
func TestC2RetryAfterIsBounded(t *testing.T) {
	for asked, want := range map[string]string{
		"": "", "-5": "1", "0": "1", "1": "1", "8": "8", "3600": "30", "99999999999": "30", "Wed, 21 Oct 2099 07:28:00 GMT": "Wed, 21 Oct 2099 07:28:00 GMT",
	} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", asked)
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		response, err := send(t.Context(), newTestThrottle(http.DefaultTransport, Config{}), api.URL)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := response.Header.Get("Retry-After"); got != want {
			t.Errorf("%q became %q, want %q", asked, got, want)
		}
		api.Close()
	}
}

// C3: a server that redirects to another that cannot be reached is one outage, and one that
// redirects for ever has an error that is logged.
func TestC3Redirects(t *testing.T) {
	for target, want := range map[string]string{"http://127.0.0.1:1/login": "connection refused", "": errRedirects.Error()} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, cmp.Or(target, r.URL.String()), http.StatusFound)
		}))
		log, opts := new(kubetest.Recorder), testOptions()
		opts.Log = log
		c, client := servicesClient(t, Config{Endpoint: api.URL, QPS: 1000, Burst: 1000}, opts)
		fake := clocktesting.NewFakeClock(time.Now())
		c.Outages.clock = fake
		for range 3 {
			c.Outages.Failed(t.Context(), "list", services, client.Get().Resource("services").Do(t.Context()).Error())
			fake.Step(patience)
		}
		if lines := log.All(); len(lines) != 1 || !strings.Contains(lines[0], want) {
			t.Errorf("log: %q", lines)
		}
		api.Close()
	}
}
