package apiserver

import (
	"context"
	"errors"
	"net/url"
)

// UnaskedError is the error of a request that the API server has not answered: nobody listens there, it says nothing in
// time, or it is not the server that the kubeconfig means.
type UnaskedError struct {
	server string
	err    error
}

// Unasked returns an error of a request, as an UnaskedError if it is one. What was asked for does not matter then, and
// is left out.
func Unasked(err error) error {
	var failed *url.Error
	if !errors.As(err, &failed) {
		return err
	}
	u := UnaskedError{server: "API server", err: failed.Err}
	if at, err := url.Parse(failed.URL); err == nil {
		u.server += " " + at.Scheme + "://" + at.Host
	}
	return u
}

// Error implements error.
func (e UnaskedError) Error() string {
	why := e.err.Error()
	var timeout interface{ Timeout() bool }
	if errors.Is(e.err, context.DeadlineExceeded) || errors.As(e.err, &timeout) && timeout.Timeout() {
		why = "no reply in time"
	}
	return "the " + e.server + " does not answer: " + why
}

// Unwrap returns what the request has failed of.
func (e UnaskedError) Unwrap() error { return e.err }
