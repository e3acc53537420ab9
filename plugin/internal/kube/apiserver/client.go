package apiserver

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"runtime/debug"

	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc" // a kubeconfig may ask for it
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// A Client sends requests to one API server. It shares its connections with no other
// Client.
type Client struct {
	Outages *OutageLog

	config *rest.Config
	http   *http.Client
	dialer *dialer
}

// New makes a Client. It contacts no server.
func New(cfg Config, opts Options) (*Client, error) {
	about, err := restConfig(cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{
		Outages: newOutageLog(opts.Log, opts.Clock, about.Host),
		config:  about,
		dialer:  newDialer(opts.Renewals),
	}
	if opts.NoAnswer != nil {
		c.Outages.noAnswer = opts.NoAnswer
	}
	c.http, err = newHTTPClient(about, cfg, c.dialer, c.Outages, opts)
	if err != nil && cfg.Kubeconfig == "" && cfg.CertFile+cfg.KeyFile+cfg.CAFile != "" {
		err = fmt.Errorf("tls: expected PEM files with a certificate, its key and the API server's authority: %w", err)
	}
	return c, err
}

// REST makes a client of one version of an API group. client-go's typed clients would load
// the types of all groups; we decode ten.
func (c *Client) REST(version schema.GroupVersion, codecs kruntime.NegotiatedSerializer) (rest.Interface, error) {
	about := rest.CopyConfig(c.config)
	about.GroupVersion = &version
	about.NegotiatedSerializer = codecs
	about.APIPath = "/apis"
	if version.Group == "" {
		about.APIPath = "/api"
	}
	return rest.RESTClientForConfigAndClient(about, c.http)
}

// Redial closes all connections, so that requests open new ones.
func (c *Client) Redial() { c.dialer.redial() }

// Renew does the same, unless it did so a short time ago. Connections fail together, so
// several requests call it at once.
func (c *Client) Renew() { c.dialer.renew() }

// Redials returns how often all connections were closed so that requests open new ones. That ends
// the requests of that moment.
func (c *Client) Redials() int64 { return c.dialer.redials.Load() }

// Close closes all connections for good.
func (c *Client) Close() { c.dialer.close() }

// restConfig returns how to reach the API server of cfg.
func restConfig(cfg Config) (*rest.Config, error) {
	c, err := baseConfig(cfg)
	if err != nil {
		return nil, err
	}
	if err := separateUser(c); err != nil {
		return nil, err
	}
	c.ContentType = kruntime.ContentTypeProtobuf
	c.AcceptContentTypes = kruntime.ContentTypeProtobuf + "," + kruntime.ContentTypeJSON
	c.UserAgent = userAgent()
	c.WarningHandler = rest.NoWarnings{}
	c.QPS = -1 // throttle has the limits
	return c, nil
}

func baseConfig(cfg Config) (*rest.Config, error) {
	switch {
	case cfg.Kubeconfig != "":
		return kubeconfig(cfg)
	case cfg.Endpoint != "":
		files := rest.TLSClientConfig{CertFile: cfg.CertFile, KeyFile: cfg.KeyFile, CAFile: cfg.CAFile}
		return &rest.Config{Host: cfg.Endpoint, TLSClientConfig: files}, nil
	default:
		c, err := rest.InClusterConfig()
		if errors.Is(err, rest.ErrNotInCluster) {
			return nil, fmt.Errorf("no API server is named: expected endpoint, kubeconfig or manifests, or a server that runs in a Pod (%w)", err)
		}
		return c, err
	}
}

func kubeconfig(cfg Config) (*rest.Config, error) {
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: cfg.Kubeconfig}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: cfg.Context}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	c, err := loader.ClientConfig()
	if err == nil {
		return c, nil
	}
	var urls []string
	if raw, err := loader.RawConfig(); err == nil {
		urls = urlsOf(&raw)
	}
	return nil, fmt.Errorf("kubeconfig: expected a file with a kubeconfig: %w", redactError(err, urls...))
}

func urlsOf(c *clientcmdapi.Config) (urls []string) {
	for _, cluster := range c.Clusters {
		urls = append(urls, cluster.Server, cluster.ProxyURL)
	}
	return urls
}

func userAgent() string {
	version := "unknown"
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" {
		version = build.Main.Version
	}
	return fmt.Sprintf("clusterdns/%s (%s/%s)", version, runtime.GOOS, runtime.GOARCH)
}
