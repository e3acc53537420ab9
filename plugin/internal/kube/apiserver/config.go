// Package apiserver sends requests to an API server. It decides how the server is reached
// and how many requests it gets, and it logs outages.
//
// The log gets one line when something stops working and one when it works again, however
// many attempts fail in between. That may be the whole server, or one kind of object that
// the server refuses; then the line names the missing rule.
//
// The rule not to break: no error, log line or metric shows the user or password of a URL.
package apiserver

import (
	"time"

	"k8s.io/utils/clock"
)

// Config says how to reach an API server.
//
// Kubeconfig takes precedence over Endpoint. Without either the process is a Pod and uses
// the API server of its own cluster.
type Config struct {
	Endpoint                  string // URL of an API server
	CertFile, KeyFile, CAFile string // for Endpoint
	Kubeconfig, Context       string // path of a file, and the name of a context in it if not the current one

	// QPS and Burst limit the rate of requests to the API server. If either is 0, the
	// default of client-go applies: 5 a second after a burst of 10.
	QPS   float32
	Burst int
	// MaxInflight is the largest number of unanswered requests at a time, or 0 for no
	// limit. A watch counts until the server begins to answer it.
	MaxInflight int
}

// Logger receives the package's few log lines.
type Logger interface {
	Infof(format string, args ...any)
	Warningf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Options are the settings of a Client besides its Config.
type Options struct {
	Log      Logger
	Observe  func(Request) // called for every request
	NoAnswer func()        // called for every request that the API server does not answer; may be nil
	Clock    clock.PassiveClock
	Silence  time.Duration // how long an answer may take to begin
	Renewals time.Duration // shortest time between two calls of Renew that take effect
}

// Request has the measurements of one request to the API server.
type Request struct {
	Method string
	Host   string // with the port, in valid UTF-8
	Code   string // the HTTP status, or <error> if there was no answer
	Watch  bool
	Waited time.Duration // for the limits of the Config
	Took   time.Duration // from the beginning of the wait to the end of the request
}
