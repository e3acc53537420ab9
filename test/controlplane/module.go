package controlplane

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// module is a Go module in test, whose tools the binaries are.
type module struct {
	dir     string
	name    string // of the program it is there for
	version string // of that program, as in "v1.36.3"
	goMod   []byte
	cache   string // folder that keeps the binaries of all versions
}

const kubernetesName = "kubernetes"

// programVersion finds the module that the others are there for.
var programVersion = regexp.MustCompile(`(?m)^\s*(?:require )?(?:k8s\.io/(kubernetes)|github\.com/containerd/(containerd)/v2) (v[0-9]+\.[0-9]+\.\S+)`)

func (m *module) String() string { return m.name + " " + m.version }

// findModule looks for the module's folder in the folder test of the working
// folder and its parents, since "go test" runs each test in the folder of its
// package.
func findModule(name string) (*module, error) {
	dir, err := moduleDir(name)
	if err != nil {
		return nil, err
	}
	goMod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil {
		return nil, err
	}
	version := programVersion.FindSubmatch(goMod)
	if version == nil {
		return nil, fmt.Errorf("%s/go.mod requires neither k8s.io/kubernetes nor containerd", dir)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, err
	}
	return &module{
		dir: dir, name: string(version[1]) + string(version[2]), version: string(version[3]),
		goMod: goMod, cache: filepath.Join(cache, "clusterdns"),
	}, nil
}

func moduleDir(name string) (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		candidate := filepath.Join(dir, "test", name)
		if exists(filepath.Join(candidate, "go.mod")) {
			return candidate, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no test/%s/go.mod in %s or a folder above it", name, start)
		}
	}
}

// binaryPath is where the command's binary is kept. The folder depends on
// everything that decides what the compiler makes, so a change builds anew and
// a fresh clone of the same state finds what another one built.
func (m *module) binaryPath(command string, s source) string {
	return filepath.Join(m.cache, m.name+"-"+m.version+"-"+m.key(s), command)
}

func (m *module) key(s source) string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s/%s %q %q %s\n%s", runtime.GOOS, runtime.GOARCH, s.goCommand(), m.buildFlags(), s.path, m.goMod)
	return hex.EncodeToString(hash.Sum(nil))[:12]
}

// buildFlags strips the binaries, which halves them, and stamps the version
// that the API server reports: without it "/version" says v0.0.0-master.
func (m *module) buildFlags() []string {
	ldflags := []string{"-s", "-w"}
	if m.name == kubernetesName {
		const version = "k8s.io/component-base/version."
		number := strings.SplitN(strings.TrimPrefix(m.version, "v"), ".", 3)
		ldflags = append(ldflags,
			"-X", version+"gitVersion="+m.version,
			"-X", version+"gitMajor="+number[0],
			"-X", version+"gitMinor="+number[1])
	}
	return []string{"-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", strings.Join(ldflags, " ")}
}
