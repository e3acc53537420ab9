package controlplane

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// definitions is a Go module with CustomResourceDefinitions. The folder of its files is not a Go
// package, so no go.mod can require the module.
type definitions struct {
	module, sum string // a version of the module, and its hash as in go.sum
	files       []string
}

var (
	gatewayDefinitions = definitions{
		"sigs.k8s.io/gateway-api@v1.6.0", "h1:735YBRj5NXFrOGX0GoSjwzUIzbz8kiEOfADsqHFmHgE=", []string{
			"config/crd/standard/gateway.networking.k8s.io_gateways.yaml",
			"config/crd/standard/gateway.networking.k8s.io_listenersets.yaml",
			"config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
			"config/crd/standard/gateway.networking.k8s.io_grpcroutes.yaml",
			"config/crd/standard/gateway.networking.k8s.io_tlsroutes.yaml",
		},
	}
	endpointDefinition = definitions{
		"sigs.k8s.io/external-dns@v0.18.0", "h1:JFzFpbmRRP6zs/sNOQvdhDfhfx2hXzlf67Wgb5IOTRQ=",
		[]string{"config/crd/standard/dnsendpoints.externaldns.k8s.io.yaml"},
	}
)

// GatewayDefinitions returns the CustomResourceDefinitions of the Gateway API that DNS reads, as
// the Gateway API publishes them, to be applied.
func GatewayDefinitions(ctx context.Context) ([]byte, error) { return gatewayDefinitions.read(ctx) }

// EndpointDefinition returns the CustomResourceDefinition of external-dns.
func EndpointDefinition(ctx context.Context) ([]byte, error) { return endpointDefinition.read(ctx) }

func (d definitions) read(ctx context.Context) ([]byte, error) {
	dir, err := d.download(ctx)
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

// download brings the module into the module cache, and returns its folder. The hash here takes
// the place of the checksum database.
func (d definitions) download(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", d.module)
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOSUMDB=off", "GOWORK=off")
	cmd.Dir = os.TempDir()
	out, err := cmd.Output()
	var about struct{ Dir, Sum, Error string }
	if jsonErr := json.Unmarshal(out, &about); jsonErr == nil && about.Error != "" {
		return "", errors.New(about.Error)
	}
	if err != nil {
		return "", fmt.Errorf("go mod download %s: %w", d.module, err)
	}
	if about.Sum != d.sum {
		return "", fmt.Errorf("%s has the hash %s, want %s", d.module, about.Sum, d.sum)
	}
	return about.Dir, nil
}
