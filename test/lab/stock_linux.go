package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// stockModule is stock CoreDNS, in the version that our module requires.
const stockModule = "github.com/coredns/coredns"

// ImportStock makes an image of stock CoreDNS that differs from ours in the binary only,
// imports it, and returns its name.
func (l *Lab) ImportStock(ctx context.Context) (name string, err error) {
	programs := filepath.Join(string(l.dir), "programs")
	binary := filepath.Join(programs, "stock-coredns")
	version, err := l.buildStock(ctx, binary)
	if err != nil {
		return "", fmt.Errorf("building stock CoreDNS: %w", err)
	}
	archive := filepath.Join(string(l.dir), "images", "stock.tar")
	const repository = "registry.example/stock/coredns"
	cmd := exec.CommandContext(ctx, filepath.Join(programs, "image"), "-o", archive, "coredns",
		"-name", repository, "-version", version, "linux/"+runtime.GOARCH+"="+binary)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	_, err = l.Import(ctx, archive)
	return repository + ":" + version, err
}

// buildStock uses copies of go.mod and go.sum, because stock needs a checksum that ours
// does not. Its flags are those of make build, so that both builds share compiled packages.
func (l *Lab) buildStock(ctx context.Context, binary string) (version string, err error) {
	dir := filepath.Join(string(l.dir), "stock")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(l.root, name))
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return "", err
		}
	}
	if version, err = l.goCommand(ctx, "list", "-m", "-f", "{{.Version}}", stockModule); err != nil {
		return "", err
	}
	_, err = l.goCommand(ctx, "build", "-mod=mod", "-modfile="+filepath.Join(dir, "go.mod"), "-trimpath", "-buildvcs=false",
		"-tags=grpcnotrace", "-ldflags=-s -w", "-o", binary, stockModule)
	return strings.TrimPrefix(strings.TrimSpace(version), "v"), err
}

func (l *Lab) goCommand(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = l.root, append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("%w\n%s", err, exit.Stderr)
		}
		return "", fmt.Errorf("%s: %w", cmd, err)
	}
	return string(out), nil
}
