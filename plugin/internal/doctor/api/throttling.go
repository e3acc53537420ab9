package api

import (
	"context"
	"net/http"
	"sync/atomic"

	"k8s.io/client-go/rest"
)

// errThrottled is the error of a request that the API server has put off for too long. client-go waits as it is told, and
// says no more than that the time is over.
var errThrottled = Errorf("doctor again later, and the API server's metric apiserver_flowcontrol_rejected_requests_total, which says whose requests are too many",
	"the API server has too many requests, and asks to come again later (429)")

type throttlingKey struct{}

// withThrottling returns a context for a request, and whether the API server has put the request off.
func withThrottling(ctx context.Context) (context.Context, *atomic.Bool) {
	throttled := new(atomic.Bool)
	return context.WithValue(ctx, throttlingKey{}, throttled), throttled
}

// send sends a request, and says so if the API server has put it off for too long.
func send(ctx context.Context, r *rest.Request) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, RequestTime)
	defer cancel()
	ctx, throttled := withThrottling(ctx)
	body, err := r.Do(ctx).Raw()
	if err != nil && throttled.Load() {
		return nil, errThrottled
	}
	return body, err
}

// noteThrottling has a transport note in the context of a request that the API server has put it off.
func noteThrottling(next http.RoundTripper) http.RoundTripper { return noting{next} }

type noting struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (n noting) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := n.next.RoundTrip(r)
	if throttled, ok := r.Context().Value(throttlingKey{}).(*atomic.Bool); ok && err == nil && response.StatusCode == http.StatusTooManyRequests {
		throttled.Store(true)
	}
	return response, err
}
