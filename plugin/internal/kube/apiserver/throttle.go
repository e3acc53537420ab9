package apiserver

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/http2"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/clock"
)

// streamBuffer is how many bytes of a list may be in transit or wait to be decoded. All
// kinds are listed at once, and the default of 4 MB would be as much as thousands of
// Services take. With this size, a server a millisecond away can still send 256 MB a
// second.
const streamBuffer = 256 << 10

// newHTTPClient makes the HTTP client that all reflectors share. Its transport is not one
// of those that client-go caches for the life of the process, so that we can close the
// connections.
func newHTTPClient(cfg *rest.Config, limits Config, d *dialer, outages *OutageLog, opts Options) (*http.Client, error) {
	following, err := newFollowing(cfg.CAFile, func() (*http.Transport, error) { return newTransport(cfg, d, opts) })
	if err != nil {
		return nil, err
	}
	rt, err := rest.HTTPWrappersForConfig(cfg, newThrottle(following, limits, outages, d.renew, opts))
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: rt, CheckRedirect: checkRedirect}, nil
}

// newTransport makes a transport with the files of cfg as they are now.
func newTransport(cfg *rest.Config, d *dialer, opts Options) (*http.Transport, error) {
	tlsConfig, err := rest.TLSConfigFor(cfg)
	if err != nil {
		return nil, err
	}
	base := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           d.dial,
		TLSClientConfig:       tlsConfig,
		TLSHandshakeTimeout:   10 * time.Second,
		DisableCompression:    cfg.DisableCompression,
		ResponseHeaderTimeout: opts.Silence,
		HTTP2:                 &http.HTTP2Config{MaxReceiveBufferPerStream: streamBuffer},
	}
	if cfg.Proxy != nil {
		base.Proxy = cfg.Proxy
	}
	return utilnet.SetTransportDefaults(base), nil
}

// errRedirects is the error of a request that the server redirects again and again.
var errRedirects = errors.New("redirected 10 times")

// checkRedirect follows as many redirects as net/http does.
func checkRedirect(_ *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errRedirects
	}
	return nil
}

// throttle is a transport that limits the rate of requests and the number of unanswered
// ones. It reports to the outage log whether the server answers, and measures how long that
// takes.
//
// The limits are here, and not in client-go's clients, because those do not count watches,
// and nearly all of our requests are watches.
type throttle struct {
	next    http.RoundTripper
	rate    flowcontrol.RateLimiter
	slots   chan struct{} // nil without a limit on the number of requests
	pages   bool          // each page of a list counts for the rate limit
	outages *OutageLog
	renew   func() // closes all connections
	observe func(Request)
	clock   clock.PassiveClock
}

func newThrottle(next http.RoundTripper, limits Config, outages *OutageLog, renew func(), opts Options) *throttle {
	t := &throttle{next: next, outages: outages, renew: renew, pages: limits.QPS > 0, observe: opts.Observe, clock: opts.Clock}
	qps, burst := limits.QPS, limits.Burst
	if qps == 0 {
		qps = rest.DefaultQPS
	}
	if burst == 0 {
		burst = rest.DefaultBurst
	}
	t.rate = flowcontrol.NewTokenBucketRateLimiter(qps, burst)
	if limits.MaxInflight > 0 {
		t.slots = make(chan struct{}, limits.MaxInflight)
	}
	return t
}

// RoundTrip waits for the limits and sends the request.
func (t *throttle) RoundTrip(r *http.Request) (*http.Response, error) {
	begun := t.clock.Now()
	release, err := t.acquire(r)
	if err != nil {
		return nil, err
	}
	waited := t.clock.Since(begun)
	response, err := t.next.RoundTrip(r)
	boundDelay(response)
	t.noteAnswer(r, response, err)
	end := sync.OnceFunc(func() {
		release()
		t.observe(Request{
			Method: r.Method,
			Host:   strings.ToValidUTF8(r.URL.Host, "\uFFFD"),
			Code:   codeOf(response),
			Watch:  isWatch(r),
			Waited: waited,
			Took:   t.clock.Since(begun),
		})
	})
	if err != nil || isWatch(r) {
		end()
		return response, err
	}
	response.Body = &ending{response.Body, end}
	return response, nil
}

// noteAnswer reports to the outage log whether the server answered.
func (t *throttle) noteAnswer(r *http.Request, response *http.Response, err error) {
	switch {
	case err != nil:
		if r.Context().Err() == nil && !dismissed(err) && !errors.Is(err, net.ErrClosed) { // we closed the connection ourselves
			t.outages.unreachable(err.Error())
			t.giveUp(err)
		}
	case http.StatusMultipleChoices <= response.StatusCode && response.StatusCode < http.StatusBadRequest:
		// A redirect says nothing about the server that it leads to.
	case isAbsent(response.StatusCode):
		t.outages.unavailable(requestOf(r), response.Status)
	default:
		t.outages.reachable(requestOf(r))
		if response.StatusCode == http.StatusTooManyRequests {
			t.outages.refused(requestOf(r), response.Status)
		} else {
			t.outages.accepted(requestOf(r))
		}
	}
}

// requestOf names requests of one sort for the outage log. A server may answer lists and
// refuse watches.
func requestOf(r *http.Request) string {
	if isWatch(r) {
		return r.URL.Path + " watch"
	}
	return r.URL.Path
}

// longestDelay is the longest wait in seconds that a server may ask for by Retry-After. An API
// server asks for 8 seconds at most, a proxy whose page says that it is down for an hour.
const longestDelay = 30

// boundDelay bounds what an answer asks for by Retry-After. client-go waits for as long as it
// says, and not at all for less than a second.
func boundDelay(response *http.Response) {
	if response == nil {
		return
	}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		response.Header.Set("Retry-After", strconv.Itoa(min(max(seconds, 1), longestDelay)))
	}
}

// giveUp closes all connections if a request had a connection and got no answer. Otherwise
// HTTP/2 would send the next request over the same connection.
func (t *throttle) giveUp(err error) {
	var dial *net.OpError
	if errors.As(err, &dial) && dial.Op == "dial" {
		return
	}
	var timeout net.Error
	if errors.As(err, &timeout) && timeout.Timeout() {
		t.renew()
	}
}

// codeOf returns the status code of an answer, or "<error>", as client-go writes it, if
// there is none.
func codeOf(response *http.Response) string {
	if response == nil {
		return "<error>"
	}
	return strconv.Itoa(response.StatusCode)
}

// acquire waits for the rate limit and for a slot. A list counts once for the default rate
// limit, however many pages it has, because it would be one request if memory did not
// matter. With a configured limit, each page counts.
func (t *throttle) acquire(r *http.Request) (release func(), err error) {
	if t.pages || r.URL.Query().Get("continue") == "" {
		if err := t.rate.Wait(r.Context()); err != nil {
			return nil, err
		}
	}
	if t.slots == nil {
		return func() {}, nil
	}
	select {
	case t.slots <- struct{}{}:
		return func() { <-t.slots }, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// dismissed reports whether the server closed the connection in good order, as it does when
// it shuts down or has refused a request. Such an error is no outage.
func dismissed(err error) bool {
	var goAway http2.GoAwayError //nolint:staticcheck // what Kubernetes' transport returns
	return errors.As(err, &goAway) && goAway.ErrCode == http2.ErrCodeNo
}

// isWatch reports whether the request is a watch. A watch lasts for minutes, so it gives
// back its slot when its answer begins: otherwise as many watches as there are slots would
// block all other requests. A list keeps its slot until its body has been read, because the
// limit is meant for that work.
func isWatch(r *http.Request) bool {
	watch := r.URL.Query().Get("watch")
	return watch == "true" || watch == "1"
}

// ending calls end when the body of an answer is closed.
type ending struct {
	io.ReadCloser
	end func()
}

// Close closes the body.
func (e *ending) Close() error {
	e.end()
	return e.ReadCloser.Close()
}
