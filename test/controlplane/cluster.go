package controlplane

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"

	"github.com/clusterdns/clusterdns/test/kit/process"
)

// The address ranges of ClusterIPs. The first address of each belongs to the Service
// "kubernetes".
const (
	ServiceCIDRv4 = "10.96.0.0/16"
	ServiceCIDRv6 = "fd00:10:96::/108"
)

// Options are the options of a cluster. The zero value is an API server with the defaults
// of current Kubernetes and without controllers.
type Options struct {
	// Dir has etcd's data, the keys and the logs. An etcd folder in it, left by an earlier
	// cluster or copied from one, is the initial data. Empty means a temporary folder.
	Dir string

	// Controllers are the controllers that kube-controller-manager runs, with the names of
	// its flag --controllers: "endpointslice", "namespace", "serviceaccount-token" and so
	// on. Without any it does not run. The EndpointSlice controller ignores Pods whose Node
	// object does not exist.
	Controllers []string

	// NodeAddress prepares the control plane for nodes and Pods: the API server listens on
	// all addresses, is the Service "kubernetes" at this one, reaches kubelets by their
	// addresses, and gives each Pod its ServiceAccount. It must not be a loopback address.
	NodeAddress netip.Addr

	// DisableStreamingLists makes the API server refuse a list as part of a watch, like
	// servers before Kubernetes 1.34.
	DisableStreamingLists bool

	// DisableWatchCache makes the API server serve each list and watch from etcd, so that
	// Compact takes effect at once. The server then refuses streaming lists.
	DisableWatchCache bool

	// APIServerArgs are appended to the arguments of kube-apiserver, so they take
	// precedence.
	APIServerArgs []string

	// ControllerManagerArgs are the same for kube-controller-manager.
	ControllerManagerArgs []string
}

func (o Options) commands() []string {
	commands := []string{etcdCommand, apiServerCommand}
	if len(o.Controllers) > 0 {
		commands = append(commands, controllerManagerCommand)
	}
	return commands
}

// Cluster is a running control plane.
type Cluster struct {
	options   Options
	dir       string
	temporary bool   // dir is ours to remove
	keyDir    string // in dir
	binaries  map[string]string

	authority  *authority
	servingCrt string
	servingKey string
	token      string // of the administrator

	etcdPort, etcdPeerPort, apiServerPort, controllerManagerPort *port
	etcd, apiServer, controllerManager                           *process.Process

	http    *http.Client // trusts the authority
	client  kubernetes.Interface
	dynamic dynamic.Interface
	mapper  *restmapper.DeferredDiscoveryRESTMapper
}

// StartTest starts a cluster that ends with the test.
func StartTest(tb testing.TB, o Options) *Cluster {
	tb.Helper()
	if o.Dir == "" {
		o.Dir = tb.TempDir()
	}
	c, err := Start(tb.Context(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Stop)
	return c
}

// Start starts a cluster and waits until it serves. The context limits only the start; Stop
// ends the cluster.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	binaries, err := Build(ctx, o.commands()...)
	if err != nil {
		return nil, err
	}
	c := &Cluster{options: o, binaries: binaries}
	if err := c.start(ctx); err != nil {
		c.Stop()
		return nil, fmt.Errorf("starting the test cluster: %w", err)
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) error {
	steps := []func() error{
		c.makeDirs,
		c.reservePorts,
		c.makeCredentials,
		c.makeClients,
		func() error { return c.startEtcd(ctx) },
		func() error { return c.startAPIServer(ctx) },
		func() error { return c.startControllerManager(ctx) },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// makeDirs makes a new folder for the keys of each cluster: client-go caches a certificate
// by its path, and a folder can serve one cluster after another.
func (c *Cluster) makeDirs() (err error) {
	if err := c.makeDir(); err != nil {
		return err
	}
	c.keyDir, err = os.MkdirTemp(c.dir, "keys-")
	return err
}

// makeDir makes the folder and its path absolute, because relative paths in a kubeconfig
// count from the kubeconfig's folder.
func (c *Cluster) makeDir() (err error) {
	if c.options.Dir == "" {
		c.temporary = true
		c.dir, err = os.MkdirTemp("", "clusterdns-controlplane-")
		return err
	}
	if c.dir, err = filepath.Abs(c.options.Dir); err != nil {
		return err
	}
	return os.MkdirAll(c.dir, 0o755)
}

func (c *Cluster) reservePorts() (err error) {
	for _, p := range c.ports() {
		if *p, err = reservePort(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) ports() []**port {
	return []**port{&c.etcdPort, &c.etcdPeerPort, &c.apiServerPort, &c.controllerManagerPort}
}

// Stop ends the cluster's processes and waits for them. It does not remove Options.Dir.
func (c *Cluster) Stop() {
	c.controllerManager.Kill()
	c.apiServer.Kill()
	c.etcd.Kill()
	for _, p := range c.ports() {
		if *p != nil {
			(*p).release()
		}
	}
	if c.temporary {
		os.RemoveAll(c.dir)
	}
}

// LogFile returns the path of a command's log, for instance of "kube-apiserver".
func (c *Cluster) LogFile(command string) string {
	return filepath.Join(c.dir, command+".log")
}

// startProcess starts a command with its log in the cluster's folder.
func (c *Cluster) startProcess(command string, args ...string) (*process.Process, error) {
	return process.Start(c.binaries[command], c.LogFile(command), args...)
}

// get returns nil if the URL answers with 200 OK. The token may be empty.
func (c *Cluster) get(ctx context.Context, url, token string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return nil
}
