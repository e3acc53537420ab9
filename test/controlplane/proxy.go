package controlplane

import (
	"net/http/httputil"
	"net/url"

	"k8s.io/client-go/rest"
)

// Proxy returns a handler that passes requests on to the API server, with the rights of the
// administrator.
func (c *Cluster) Proxy() (*httputil.ReverseProxy, error) {
	target, err := url.Parse(c.URL())
	if err != nil {
		return nil, err
	}
	transport, err := rest.TransportFor(c.RESTConfig())
	if err != nil {
		return nil, err
	}
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
	}, nil
}
