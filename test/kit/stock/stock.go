// Package stock builds stock CoreDNS for comparison.
package stock

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const module = "github.com/coredns/coredns"

// flags are those of make build, so that both builds share compiled packages.
const flags = "-trimpath -buildvcs=false -tags=grpcnotrace"

// Build returns the path of stock CoreDNS in the version that our module requires. It
// compiles it unless the user's cache folder has it. The build uses the dependencies of our
// own build, so that only the plugin differs. Our module is the one of the working folder.
func Build() (string, error) {
	root, err := goOutput("list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return "", fmt.Errorf("building stock CoreDNS: %w", err)
	}
	key, err := cacheKey(root)
	if err != nil {
		return "", fmt.Errorf("building stock CoreDNS: %w", err)
	}
	return cached("stock-coredns-"+key, func(dir, binary string) error { return compile(root, dir, binary) })
}

// cached returns the path of a binary in a folder of the user's cache. It compiles it unless it is there.
func cached(name string, compile func(dir, binary string) error) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "clusterdns", name)
	binary := filepath.Join(dir, "coredns")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return binary, compile(dir, binary)
}

// cacheKey returns a name that depends on the version and on everything else that decides
// the compiler's output.
func cacheKey(root string) (string, error) {
	version, err := goOutput("list", "-m", "-f", "{{.Version}}", module)
	if err != nil {
		return "", err
	}
	compiler, err := goOutput("env", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return "", err
	}
	goMod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(fmt.Append(goMod, compiler, flags))
	return version + "-" + hex.EncodeToString(hash[:])[:12], nil
}

// compile uses copies of go.mod and go.sum: stock needs the checksum of one module that
// ours does not. A binary at the final path is always complete.
func compile(root, dir, binary string) error {
	temporary, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(temporary, name), text, 0o600); err != nil {
			return err
		}
	}
	partial := filepath.Join(temporary, "coredns")
	cmd := exec.Command("go", "build", "-mod=mod", "-modfile="+filepath.Join(temporary, "go.mod"),
		"-ldflags=-s -w", "-o", partial, module)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="+flags)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return os.Rename(partial, binary)
}

func goOutput(args ...string) (string, error) {
	out, err := exec.Command("go", args...).Output()
	return strings.TrimSpace(string(out)), err
}
