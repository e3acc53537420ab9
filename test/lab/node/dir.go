package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Dir is the folder with all files of a node.
type Dir string

// NewDir makes the folder. Its path must not be covered in the node's mount
// namespace.
func NewDir(path string) (Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	for _, covered := range []string{"/var/lib", "/var/log", "/run", "/proc"} {
		if path == covered || strings.HasPrefix(path, covered+"/") {
			return "", fmt.Errorf("folder %s: expected one outside %s, which the node covers", path, covered)
		}
	}
	return Dir(path), os.MkdirAll(path, 0o755)
}

func (d Dir) path(name string) string { return filepath.Join(string(d), name) }

// Log returns the path of the log of a part, such as "kubelet", or of the node itself,
// "node".
func (d Dir) Log(part string) string { return d.path(part + ".log") }

// Kubeconfig returns the path of the administrator's kubeconfig. Its server has an address
// in the node's network namespace.
func (d Dir) Kubeconfig() string { return d.path("kubeconfig") }

// Of returns the folder of a node. That of the first one has those of the others.
func (d Dir) Of(number int) Dir {
	if number == 1 {
		return d
	}
	return Dir(d.path(NameOf(number)))
}

// PIDFile returns the path of the file with the id of a further node's process, in the
// process namespace of the first node.
func (d Dir) PIDFile() string { return d.path("pid") }

func (d Dir) socket() string     { return d.path("control.sock") }
func (d Dir) cgroupList() string { return d.path("cgroups") }
func (d Dir) resolvConf() string { return d.path("resolv.conf") }

func (d Dir) write(name, content string) (path string, err error) {
	path = d.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	return path, os.WriteFile(path, []byte(content), 0o644)
}
