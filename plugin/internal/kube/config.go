package kube

import (
	"crypto/sha256"
	"strings"
	"time"

	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

// Config says where a cluster's objects come from and which of them are kept.
// Two equal ones can share one Watcher.
//
// Manifests win over Kubeconfig, Kubeconfig over Endpoint, and without any of
// them the process is a Pod and asks the API server of its own cluster.
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

	Pods        bool // watch Pods
	PodNames    bool // keep the names of the Pods behind endpoints
	PodLabels   bool // keep the names and labels of Pods
	NoEndpoints bool // watch no EndpointSlices of the cluster's own Services

	TopologyZones bool // keep the topology zones of endpoints

	// Label selectors, as the API server writes them; empty ones select all.
	Labels          string // of Services, Pods and EndpointSlices
	NamespaceLabels string // of Namespaces

	MultiCluster bool // watch ServiceImports, and EndpointSlices from other clusters

	Manifests string // files and folders, as ManifestPaths makes it

	stamp [sha256.Size]byte // as Stamped makes it
}

// apiServer is the part of c that says how the API server is reached.
func (c Config) apiServer() apiserver.Config {
	return apiserver.Config{
		Endpoint: c.Endpoint, CertFile: c.CertFile, KeyFile: c.KeyFile, CAFile: c.CAFile,
		Kubeconfig: c.Kubeconfig, Context: c.Context,
		QPS: c.QPS, Burst: c.Burst, MaxInflight: c.MaxInflight,
	}
}

// SameServer says whether the objects come from one API server, so that their
// versions can be compared.
func (c Config) SameServer(other Config) bool {
	return c.Manifests == "" && other.Manifests == "" &&
		c.Endpoint == other.Endpoint && c.Kubeconfig == other.Kubeconfig && c.Context == other.Context
}

// ManifestPaths makes one string of paths, so that a Config can be compared.
func ManifestPaths(paths ...string) string { return strings.Join(paths, "\n") }

// Logger is what the package writes its few lines to.
type Logger interface {
	Infof(format string, args ...any)
	Warningf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Options is what a Watcher works with; the zero value serves.
type Options struct {
	Log           Logger
	Observer      Observer      // is told what there is to count and to measure
	ManifestError func()        // counts a change of the manifests that could not be read
	Poll          time.Duration // time between two looks at the manifests; 0 means 250 ms

	// Parameters for tests.
	clock  clock.WithTicker
	limits limits
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = silence{}
	}
	if o.Observer == nil {
		o.Observer = inattention{}
	}
	if o.ManifestError == nil {
		o.ManifestError = func() {}
	}
	if o.clock == nil {
		o.clock = clock.RealClock{}
	}
	if o.limits == (limits{}) {
		o.limits = defaultLimits
	}
	return o
}

type silence struct{}

func (silence) Infof(string, ...any)    {}
func (silence) Warningf(string, ...any) {}
func (silence) Errorf(string, ...any)   {}
