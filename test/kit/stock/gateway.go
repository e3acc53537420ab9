package stock

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/clusterdns/clusterdns/test/kit/gomodule"
)

// gatewayPlugin is the plugin whose place our k8s_gateway takes. The module proxy serves this
// version when it is asked for by name, but the checksum database does not know it: so its hash is
// here, and that of everything else is in its own go.sum.
var gatewayPlugin = gomodule.Module{
	Version: "github.com/k8s-gateway/k8s_gateway@v1.6.0", Sum: "h1:0RK0Wu42RpXlavXCjcoUvbOW1qENbb5WuqYlzW/Rcm0=",
}

// gatewayMain is its own command without the plugins of clouds and databases, which nobody asks.
const gatewayMain = `package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/local"
	_ "github.com/coredns/coredns/plugin/template"
	_ "github.com/k8s-gateway/k8s_gateway"
)

func main() {
	dnsserver.Directives = []string{"bind", "errors", "local", "template", "k8s_gateway", "forward"}
	coremain.Run()
}
`

// gatewayFlags are those of the compiler. The dependencies are the plugin's own, which are older
// than ours, and CoreDNS is the one that it was released with.
var gatewayFlags = []string{"build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags=-s -w"}

// BuildGateway returns the path of a CoreDNS with the plugin k8s_gateway of others. It compiles it
// unless the user's cache folder has it.
func BuildGateway(ctx context.Context) (string, error) {
	compiler, err := goOutput("env", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(fmt.Append(nil, gatewayPlugin, gatewayMain, gatewayFlags, compiler))
	return cached("k8s_gateway-"+hex.EncodeToString(hash[:])[:12], func(dir, binary string) error {
		if err := compileGateway(ctx, dir, binary); err != nil {
			return fmt.Errorf("building CoreDNS with %s: %w", gatewayPlugin.Version, err)
		}
		return nil
	})
}

// compileGateway compiles in a copy of the module, with its own go.mod and go.sum. A binary at the
// final path is always complete.
func compileGateway(ctx context.Context, dir, binary string) error {
	module, err := gatewayPlugin.Download(ctx)
	if err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	if err := copyModule(module, temporary); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "building CoreDNS with %s (first time only, some minutes)...\n", gatewayPlugin.Version)
	partial := filepath.Join(temporary, "coredns")
	cmd := exec.CommandContext(ctx, "go", append(gatewayFlags, "-o", partial, "./lean")...)
	cmd.Dir, cmd.Env = temporary, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return os.Rename(partial, binary)
}

// copyModule copies the package of a module, what it requires, and our command for it.
func copyModule(from, to string) error {
	files, err := filepath.Glob(filepath.Join(from, "*.go"))
	if err != nil {
		return err
	}
	for _, file := range append(files, filepath.Join(from, "go.mod"), filepath.Join(from, "go.sum")) {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, filepath.Base(file)), text, 0o600); err != nil {
			return err
		}
	}
	if err := os.Mkdir(filepath.Join(to, "lean"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(to, "lean", "main.go"), []byte(gatewayMain), 0o600)
}
