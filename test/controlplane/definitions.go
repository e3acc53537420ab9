package controlplane

import (
	"bytes"
	"context"
	"os"
	"path/filepath"

	"github.com/clusterdns/clusterdns/test/kit/gomodule"
)

// definitions is a Go module with CustomResourceDefinitions. The folder of its files is not a Go
// package, so no go.mod can require the module.
type definitions struct {
	gomodule.Module

	files []string
}

var (
	gatewayAPI         = gomodule.Module{Version: "sigs.k8s.io/gateway-api@v1.6.0", Sum: "h1:735YBRj5NXFrOGX0GoSjwzUIzbz8kiEOfADsqHFmHgE="}
	gatewayDefinitions = definitions{
		gatewayAPI, []string{
			"config/crd/standard/gateway.networking.k8s.io_gateways.yaml",
			"config/crd/standard/gateway.networking.k8s.io_listenersets.yaml",
			"config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
			"config/crd/standard/gateway.networking.k8s.io_grpcroutes.yaml",
			"config/crd/standard/gateway.networking.k8s.io_tlsroutes.yaml",
		},
	}
	// olderDefinitions are those that older readers of the Gateway API need besides: the standard ones
	// of today serve TLSRoutes in one version only.
	olderDefinitions = definitions{
		gatewayAPI, []string{
			"config/crd/standard/gateway.networking.k8s.io_gatewayclasses.yaml",
			"config/crd/experimental/gateway.networking.k8s.io_tlsroutes.yaml",
		},
	}
	endpointDefinition = definitions{
		gomodule.Module{Version: "sigs.k8s.io/external-dns@v0.18.0", Sum: "h1:JFzFpbmRRP6zs/sNOQvdhDfhfx2hXzlf67Wgb5IOTRQ="},
		[]string{"config/crd/standard/dnsendpoints.externaldns.k8s.io.yaml"},
	}
)

// GatewayDefinitions returns the CustomResourceDefinitions of the Gateway API that DNS reads, as
// the Gateway API publishes them, to be applied.
func GatewayDefinitions(ctx context.Context) ([]byte, error) { return gatewayDefinitions.read(ctx) }

// OlderGatewayDefinitions returns what readers of Gateway API 1.3 need besides, such as the version
// of TLSRoutes that it had.
func OlderGatewayDefinitions(ctx context.Context) ([]byte, error) { return olderDefinitions.read(ctx) }

// EndpointDefinition returns the CustomResourceDefinition of external-dns.
func EndpointDefinition(ctx context.Context) ([]byte, error) { return endpointDefinition.read(ctx) }

func (d definitions) read(ctx context.Context) ([]byte, error) {
	dir, err := d.Download(ctx)
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for _, name := range d.files {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return bytes.Join(all, []byte("\n---\n")), nil
}
