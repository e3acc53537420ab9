package kube

import (
	"time"

	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/listwatch"
)

// Logger is what the package writes its few lines to.
type Logger interface {
	Infof(format string, args ...any)
	Warningf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Options is what a Watcher works with; the zero value serves.
type Options struct {
	Log           Logger
	Observer      Observer      // for metrics
	ManifestError func()        // counts a change of the manifests that could not be read
	Poll          time.Duration // time between two looks at the manifests; 0 means 250 ms

	// Parameters for tests.
	clock  clock.WithTicker
	limits listwatch.Limits
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = nopLogger{}
	}
	if o.Observer == nil {
		o.Observer = nopObserver{}
	}
	if o.ManifestError == nil {
		o.ManifestError = func() {}
	}
	if o.clock == nil {
		o.clock = clock.RealClock{}
	}
	if o.limits == (listwatch.Limits{}) {
		o.limits = listwatch.DefaultLimits
	}
	return o
}

type nopLogger struct{}

func (nopLogger) Infof(string, ...any)    {}
func (nopLogger) Warningf(string, ...any) {}
func (nopLogger) Errorf(string, ...any)   {}
