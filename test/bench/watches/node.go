package watches

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"

	"k8s.io/client-go/rest"
)

// A kind is what a server on a node watches.
type kind struct {
	name    string
	watches []watch
}

type watch struct {
	path     string
	selector string // of labels
}

const (
	slicesPath     = "/apis/discovery.k8s.io/v1/endpointslices"
	servicesPath   = "/api/v1/services"
	namespacesPath = "/api/v1/namespaces"

	isHeadless = "service.kubernetes.io/headless"
	proxied    = "!service.kubernetes.io/headless,!service.kubernetes.io/service-proxy-name"
)

// kinds are those that are compared. kube-proxy watches neither headless Services nor those of
// another proxy (pkg/proxy of Kubernetes, cmd/kube-proxy/app).
var kinds = []kind{
	{"`endpoints headless`", []watch{{slicesPath, isHeadless}, {servicesPath, ""}, {namespacesPath, ""}}},
	{"`endpoints all`", []watch{{slicesPath, ""}, {servicesPath, ""}, {namespacesPath, ""}}},
	{"kube-proxy", []watch{{slicesPath, proxied}, {servicesPath, proxied}}},
}

// counts are what all nodes of a kind have got.
type counts struct {
	events atomic.Int64 // of EndpointSlices, without bookmarks
	octets atomic.Int64 // with TLS and HTTP
}

// node is one client of the API server.
type node struct {
	client *http.Client
	host   string
	token  string
	*counts
}

func newNode(config *rest.Config, c *counts) (*node, error) {
	secure, err := rest.TLSConfigFor(config)
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{
		TLSClientConfig: secure, ForceAttemptHTTP2: true,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return &counted{conn, &c.octets}, err
		},
	}
	return &node{client: &http.Client{Transport: transport}, host: config.Host, token: config.BearerToken, counts: c}, nil
}

// counted counts what arrives on a connection.
type counted struct {
	net.Conn
	octets *atomic.Int64
}

// Read implements net.Conn.
func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.octets.Add(int64(n))
	return n, err
}

// follow opens the watches of a kind, and returns once all are open. They end with the context,
// and then the wait group is done.
func (n *node) follow(ctx context.Context, k kind, version string, running *sync.WaitGroup) error {
	for _, w := range k.watches {
		body, err := n.open(ctx, w, version)
		if err != nil {
			return err
		}
		running.Go(func() {
			defer body.Close()
			n.count(body, w.path == slicesPath)
		})
	}
	return nil
}

func (n *node) open(ctx context.Context, w watch, version string) (io.ReadCloser, error) {
	query := url.Values{
		"watch": {"1"}, "allowWatchBookmarks": {"1"}, "timeoutSeconds": {"3600"},
		"resourceVersion": {version}, "labelSelector": {w.selector},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, n.host+w.path+"?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+n.token)
	request.Header.Set("Accept", "application/vnd.kubernetes.protobuf;stream=watch")
	response, err := n.client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		response.Body.Close()
		return nil, fmt.Errorf("%s: %s", w.path, response.Status)
	}
	return response.Body, nil
}

// count counts the events of a watch until it ends: each has its length ahead.
func (n *node) count(body io.Reader, slices bool) {
	var length [4]byte
	var event []byte
	for {
		if _, err := io.ReadFull(body, length[:]); err != nil {
			return
		}
		size := int(binary.BigEndian.Uint32(length[:]))
		if cap(event) < size {
			event = make([]byte, size)
		}
		event = event[:size]
		if _, err := io.ReadFull(body, event); err != nil {
			return
		}
		if slices && !bytes.Contains(event[:min(size, 32)], []byte("BOOKMARK")) {
			n.events.Add(1)
		}
	}
}
