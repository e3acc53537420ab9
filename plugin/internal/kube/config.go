package kube

import (
	"fmt"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
)

// Config says where the objects of a cluster come from and which of them a Watcher keeps.
// Equal Configs ask for the same, so one Watcher can serve them all.
//
// Manifests take precedence over Kubeconfig, and Kubeconfig over Endpoint. Without any of
// them the process is a Pod and uses the API server of its own cluster.
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

	Pods        bool // watch Pods
	PodNames    bool // keep the names of the Pods behind endpoints
	PodLabels   bool // keep the names and labels of Pods
	NoEndpoints bool // watch no EndpointSlices of the cluster's own Services
	// HeadlessOnly restricts the EndpointSlices of the cluster's own Services to those that
	// Kubernetes labels as slices of a headless Service.
	HeadlessOnly bool

	TopologyZones bool // keep the topology zones of endpoints

	// Label selectors in the syntax of the API server. An empty one selects everything.
	Labels          string // of Services, Pods and EndpointSlices
	NamespaceLabels string // of Namespaces

	MultiCluster bool // also watch ServiceImports, and EndpointSlices from other clusters

	Published     publish.Settings // objects that give names to the world
	PublishedOnly bool             // watch nothing that these do not need

	Manifests string // paths of files and folders, joined by ManifestPaths

	stamp apiserver.Stamp // set by Stamped
}

// apiServer returns the part of c about the connection to the API server.
func (c Config) apiServer() apiserver.Config {
	return apiserver.Config{
		Endpoint: c.Endpoint, CertFile: c.CertFile, KeyFile: c.KeyFile, CAFile: c.CAFile,
		Kubeconfig: c.Kubeconfig, Context: c.Context,
		QPS: c.QPS, Burst: c.Burst, MaxInflight: c.MaxInflight,
	}
}

// Stamped returns c with a hash of its credential files. A reload shares the Watcher of the previous
// instance only if these files have not changed.
func (c Config) Stamped() Config {
	c.stamp = c.apiServer().Stamp()
	return c
}

// Watched describes which objects of a cluster a Watcher keeps, and what of them, but not which names
// they publish: the rest of a state file can be served without those.
func (c Config) Watched() string {
	return fmt.Sprintf("pods %t, their names %t, labels %t, no endpoints %t, headless %t, zones %t, imports %t, labels %q, namespaces %q, published only %t",
		c.Pods, c.PodNames, c.PodLabels, c.NoEndpoints, c.HeadlessOnly, c.TopologyZones, c.MultiCluster, c.Labels, c.NamespaceLabels, c.PublishedOnly)
}

// SameServer reports whether both Configs use the same API server. Only then can the
// versions of objects be compared.
func (c Config) SameServer(other Config) bool {
	return c.Manifests == "" && other.Manifests == "" &&
		c.Endpoint == other.Endpoint && c.Kubeconfig == other.Kubeconfig && c.Context == other.Context
}

// pathSeparator is the one character that no path can contain.
const pathSeparator = "\x00"

// ManifestPaths joins paths to one text, because a Config must be comparable.
func ManifestPaths(paths ...string) string { return strings.Join(paths, pathSeparator) }

func (c Config) manifestPaths() []string { return strings.Split(c.Manifests, pathSeparator) }
