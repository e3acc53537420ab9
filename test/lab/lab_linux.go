package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/lab/node"
)

// DNS is the address that Pods ask: the Service kube-dns.
const DNS = "10.96.0.10:53"

// Lab is a running lab.
type Lab struct {
	root    string // of the repository
	dir     node.Dir
	pid     int // id of the first node's first process
	nodes   []*Node
	kubectl string
	config  *rest.Config
	client  kubernetes.Interface
}

// Connect connects to the lab of the repository that has the working folder. It fails if
// the lab is not up.
func Connect(ctx context.Context) (*Lab, error) {
	l, err := locate()
	if err != nil {
		return nil, err
	}
	if err := l.Control().Ready(ctx); err != nil {
		return nil, fmt.Errorf("the lab is not up (run make lab): %w", err)
	}
	return l, l.connect(ctx)
}

// locate finds the lab's folder, whether or not the lab is up.
func locate() (*Lab, error) {
	root, err := Repository()
	if err != nil {
		return nil, err
	}
	dir, err := node.NewDir(filepath.Join(root, "bin", "lab.d"))
	return &Lab{root: root, dir: dir}, err
}

// Repository returns the root of this repository, at or above the working folder.
func Repository() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "test", "cluster", "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("%s is not in the repository", start)
		}
	}
}

// connect makes the clients for a running node.
func (l *Lab) connect(ctx context.Context) error {
	pid, err := l.readPID()
	if err != nil {
		return err
	}
	l.pid = pid
	if err := l.findNodes(); err != nil {
		return err
	}
	binaries, err := controlplane.Build(ctx, "kubectl")
	if err != nil {
		return err
	}
	l.kubectl = binaries["kubectl"]
	if l.config, err = clientcmd.BuildConfigFromFlags("", l.dir.Kubeconfig()); err != nil {
		return err
	}
	l.config.Dial = l.Dial
	l.config.QPS = -1
	l.config.WarningHandler = rest.NoWarnings{} // an object may be odd on purpose
	l.client, err = kubernetes.NewForConfig(l.config)
	return err
}

func (l *Lab) pidFile() string { return filepath.Join(string(l.dir), "pid") }

func (l *Lab) readPID() (int, error) {
	text, err := os.ReadFile(l.pidFile())
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// Client returns a client with the rights of the administrator.
func (l *Lab) Client() kubernetes.Interface { return l.client }

// RESTConfig returns the administrator's configuration for a client outside the lab.
func (l *Lab) RESTConfig() *rest.Config { return rest.CopyConfig(l.config) }

// Kubeconfig returns the path of the administrator's kubeconfig, which has an address
// inside the lab.
func (l *Lab) Kubeconfig() string { return l.dir.Kubeconfig() }

// Log returns the path of the log of a part of the first node, such as "kubelet".
func (l *Lab) Log(part string) string { return l.dir.Log(part) }

// Control returns a Control that stops and starts the parts of the first node.
func (l *Lab) Control() *node.Control { return node.NewControl(l.dir) }

// runs reports whether the process in the pid file is the lab's, because process ids are
// reused.
func (l *Lab) runs() (bool, error) {
	pid, err := l.readPID()
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	command, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	l.pid = pid
	return strings.Contains(string(command), "\x00"+nodeCommand+"\x00"+string(l.dir)+"\x00"), err
}
