package differential

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const stockModule = "github.com/coredns/coredns"

// stockFlags are those of make build, so that both builds share what they compile.
const stockFlags = "-trimpath -buildvcs=false -tags=grpcnotrace"

// buildStock returns the path of stock CoreDNS in the version that our module
// requires, and compiles it if the user's cache folder does not hold it yet. It
// is made with the modules of our own build, so that what differs is the plugin.
func buildStock() (string, error) {
	key, err := stockKey()
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "clusterdns", "stock-coredns-"+key)
	binary := filepath.Join(dir, "coredns")
	if _, err := os.Stat(binary); err == nil {
		return binary, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	return binary, compileStock(dir, binary)
}

// stockKey names the version and whatever else decides what the compiler makes.
func stockKey() (string, error) {
	version, err := goOutput("list", "-m", "-f", "{{.Version}}", stockModule)
	if err != nil {
		return "", err
	}
	compiler, err := goOutput("env", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return "", err
	}
	goMod, err := os.ReadFile("../../go.mod")
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(fmt.Append(goMod, compiler, stockFlags))
	return version + "-" + hex.EncodeToString(hash[:])[:12], nil
}

// compileStock works on copies of go.mod and go.sum: stock needs the checksum of
// one module that ours does not. A binary at the final path is always complete.
func compileStock(dir, binary string) error {
	temporary, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	for _, name := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(temporary, name), text, 0o600); err != nil {
			return err
		}
	}
	partial := filepath.Join(temporary, "coredns")
	cmd := exec.Command("go", "build", "-mod=mod", "-modfile="+filepath.Join(temporary, "go.mod"),
		"-ldflags=-s -w", "-o", partial, stockModule)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="+stockFlags)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return os.Rename(partial, binary)
}

func goOutput(args ...string) (string, error) {
	out, err := exec.Command("go", args...).Output()
	return strings.TrimSpace(string(out)), err
}
