// Package apiserver talks to an API server: how it is reached, how many requests
// it gets, and what the log tells of its outages.
//
// The log has one line when something stops working and one when it works again,
// however often it is tried in between: the server as a whole, or a kind of object
// that is refused. For the latter the line tells which rule is missing.
package apiserver

import (
	"time"

	"k8s.io/utils/clock"
)

// Config says how an API server is reached.
//
// Kubeconfig wins over Endpoint, and without either the process is a Pod and asks
// the API server of its own cluster.
type Config struct {
	Endpoint                  string // URL of an API server
	CertFile, KeyFile, CAFile string // for Endpoint
	Kubeconfig, Context       string // a file, and a context of it other than the current one

	// The rate of requests to the API server. Either at 0 means client-go's own
	// default, 5 a second after a burst of 10.
	QPS   float32
	Burst int
	// MaxInflight is the number of requests that may be under way at once, or 0
	// for no limit. A watch is under way until the server has answered it.
	MaxInflight int
}

// Logger is what the package writes its few lines to.
type Logger interface {
	Infof(format string, args ...any)
	Warningf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Options is what a Client works with.
type Options struct {
	Log      Logger
	Observe  func(Request) // is called for every request
	Clock    clock.PassiveClock
	Silence  time.Duration // how long an answer may take to begin
	Renewals time.Duration // the shortest time between two times that Renew does something
}

// Request is what there is to measure of a request to the API server.
type Request struct {
	Method string
	Host   string // with the port, in valid UTF-8
	Code   string // the HTTP status, or <error> if there was no answer
	Watch  bool
	Waited time.Duration // for the limits of the Config
	Took   time.Duration // from before the wait to the end
}
