package kube

import (
	"crypto/sha256"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

// Config says where a cluster's objects come from and which of them are kept.
// Watchers with equal Configs do the same, so that one can serve for both.
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

// SameServer reports whether the objects come from one API server, so that their
// versions can be compared.
func (c Config) SameServer(other Config) bool {
	return c.Manifests == "" && other.Manifests == "" &&
		c.Endpoint == other.Endpoint && c.Kubeconfig == other.Kubeconfig && c.Context == other.Context
}

// pathSeparator is the one character that no path can have in it.
const pathSeparator = "\x00"

// ManifestPaths makes one text of paths, so that a Config can be compared.
func ManifestPaths(paths ...string) string { return strings.Join(paths, pathSeparator) }

func (c Config) manifestPaths() []string { return strings.Split(c.Manifests, pathSeparator) }
