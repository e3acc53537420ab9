package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"

	"github.com/go-logr/logr"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"k8s.io/klog/v2"
	"k8s.io/streaming/pkg/httpstream"
)

// Forward makes a TCP port of a Pod reachable at an address of this machine, until the context ends.
func (a *Client) Forward(ctx context.Context, namespace, pod string, port int32) (netip.AddrPort, error) {
	ctx = klog.NewContext(ctx, logr.Discard()) // whoever uses the connection sees its errors
	dialer, err := a.dialer(ctx, namespace, pod)
	if err != nil {
		return netip.AddrPort{}, err
	}
	ready, ended := make(chan struct{}), make(chan error, 1)
	f, err := portforward.NewOnAddressesForStreamingWithContext(ctx, dialer, []string{"127.0.0.1"}, []string{fmt.Sprintf("0:%d", port)}, ready, io.Discard, io.Discard)
	if err != nil {
		return netip.AddrPort{}, err
	}
	go func() { ended <- f.ForwardPorts() }()
	select {
	case <-ready:
	case err := <-ended:
		return netip.AddrPort{}, May("create pods/portforward in "+namespace, err)
	case <-ctx.Done():
		return netip.AddrPort{}, ctx.Err()
	}
	ports, err := f.GetPorts()
	if err != nil {
		return netip.AddrPort{}, err
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), ports[0].Local), nil
}

// dialer connects to the API server as kubectl does: over a websocket, or as before Kubernetes 1.30.
func (a *Client) dialer(ctx context.Context, namespace, pod string) (httpstream.Dialer, error) {
	url := a.client.Post().AbsPath("/api/v1/namespaces", namespace, "pods", pod, "portforward").URL()
	transport, upgrader, err := spdy.RoundTripperFor(a.config)
	if err != nil {
		return nil, err
	}
	before := spdy.NewDialerForStreaming(upgrader, &http.Client{Transport: transport}, http.MethodPost, url)
	now, err := portforward.NewSPDYOverWebsocketDialerForStreamingWithLogger(klog.FromContext(ctx), url, a.config)
	if err != nil {
		return nil, err
	}
	return portforward.NewFallbackDialerForStreaming(now, before, httpstream.IsUpgradeFailure), nil
}
