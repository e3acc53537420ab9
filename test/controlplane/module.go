package controlplane

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// module is the Go module in test/cluster, whose mains the binaries come from.
type module struct {
	dir     string
	version string // of Kubernetes, as in "v1.36.3"
	goMod   []byte
	cache   string // folder that keeps the binaries of all versions
}

var kubernetesVersion = regexp.MustCompile(`(?m)^\s*(?:require )?k8s\.io/kubernetes (v[0-9]+\.[0-9]+\.\S+)`)

// findModule looks for test/cluster in the working folder and its parents,
// since "go test" runs each test in the folder of its package.
func findModule() (*module, error) {
	dir, err := moduleDir()
	if err != nil {
		return nil, err
	}
	goMod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return nil, err
	}
	version := kubernetesVersion.FindSubmatch(goMod)
	if version == nil {
		return nil, fmt.Errorf("%s/go.mod does not require k8s.io/kubernetes", dir)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	return &module{dir: dir, version: string(version[1]), goMod: goMod, cache: filepath.Join(cache, "clusterdns")}, nil
}

func moduleDir() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		candidate := filepath.Join(dir, "test", "cluster")
		if exists(filepath.Join(candidate, "go.mod")) {
			return candidate, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no test/cluster/go.mod in %s or a folder above it", start)
		}
	}
}

// binaryPath is where the command's binary is kept. The folder depends on
// everything that decides what the compiler makes, so a change builds anew and
// a fresh clone of the same state finds what another one built.
func (m *module) binaryPath(command string) (string, error) {
	key, err := m.key(command)
	if err != nil {
		return "", err
	}
	return filepath.Join(m.cache, "kubernetes-"+m.version+"-"+key, command), nil
}

func (m *module) key(command string) (string, error) {
	sources, err := filepath.Glob(filepath.Join(m.dir, "cmd", command, "*.go"))
	if err != nil {
		return "", err
	}
	if len(sources) == 0 {
		return "", errors.New("no Go files in " + filepath.Join(m.dir, "cmd", command))
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%s/%s %q\n%s", runtime.GOOS, runtime.GOARCH, m.buildFlags(), m.goMod)
	for _, path := range sources {
		source, err := os.ReadFile(path)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(hash, "%s %d\n%s", filepath.Base(path), len(source), source)
	}
	return hex.EncodeToString(hash.Sum(nil))[:12], nil
}

// buildFlags strips the binaries, which halves them, and stamps the version
// that the API server reports: without it "/version" says v0.0.0-master.
func (m *module) buildFlags() []string {
	const version = "k8s.io/component-base/version."
	number := strings.SplitN(strings.TrimPrefix(m.version, "v"), ".", 3)
	ldflags := []string{
		"-s", "-w",
		"-X", version + "gitVersion=" + m.version,
		"-X", version + "gitMajor=" + number[0],
		"-X", version + "gitMinor=" + number[1],
	}
	return []string{"-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", strings.Join(ldflags, " ")}
}
