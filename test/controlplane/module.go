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

// module is a Go module in the folder test, with tools that are built as binaries.
type module struct {
	dir     string
	name    string // name of the program that the module is for
	version string // version of that program, such as "v1.36.3"
	goMod   []byte
	cache   string // folder of the binaries of all versions
}

const kubernetesName = "kubernetes"

// programVersion matches the module that the other requirements serve.
var programVersion = regexp.MustCompile(`(?m)^\s*(?:require )?(?:k8s\.io/(kubernetes)|github\.com/containerd/(containerd)/v2) (v[0-9]+\.[0-9]+\.\S+)`)

func (m *module) String() string { return m.name + " " + m.version }

// findModule looks for the module's folder in the folder test of the working folder and its
// parents, because "go test" runs each test in the folder of its package.
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

// binaryPath returns the path of the command's binary. The folder depends on everything
// that decides the compiler's output, so a change builds anew and a fresh clone of the same
// state finds existing binaries.
func (m *module) binaryPath(command string, s source) string {
	return filepath.Join(m.cache, m.name+"-"+m.version+"-"+m.key(s), command)
}

func (m *module) key(s source) string {
	hash := sha256.New()
	fmt.Fprintf(hash, "%s/%s %q %q %s\n%s", runtime.GOOS, runtime.GOARCH, s.goCommand(), m.buildFlags(), s.path, m.goMod)
	return hex.EncodeToString(hash.Sum(nil))[:12]
}

// buildFlags returns flags that strip the binaries, to half their size, and set the version
// that the API server reports: without it "/version" has v0.0.0-master.
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
