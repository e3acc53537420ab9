package kube

import (
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/listwatch"
)

// Logger receives the package's few log lines.
type Logger interface {
	Infof(format string, args ...any)
	Warningf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Options are the settings of a Watcher besides its Config. The zero value is usable.
type Options struct {
	Log           Logger
	Observer      Observer        // for metrics
	ManifestError func()          // called for each change of the manifests that cannot be read
	Begin         <-chan struct{} // closed when the API server may be asked; nil if it may be at once

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
