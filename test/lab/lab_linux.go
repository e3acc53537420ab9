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

// DNS is where Pods ask: the Service kube-dns.
const DNS = "10.96.0.10:53"

// Lab is a running lab.
type Lab struct {
	root    string // of the repository
	dir     node.Dir
	pid     int // of the node's first process
	kubectl string
	config  *rest.Config
	client  kubernetes.Interface
}

// Connect finds the lab of the repository that the working folder is in. It fails
// if the lab is not up.
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

// Repository is the folder at or above the working folder that has this repository.
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

// connect makes the clients of a node that runs.
func (l *Lab) connect(ctx context.Context) error {
	pid, err := l.readPID()
	if err != nil {
		return err
	}
	l.pid = pid
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
	l.config.WarningHandler = rest.NoWarnings{} // an object is odd on purpose
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

// Client acts as the administrator.
func (l *Lab) Client() kubernetes.Interface { return l.client }

// RESTConfig is the administrator's configuration of a client outside the lab.
func (l *Lab) RESTConfig() *rest.Config { return rest.CopyConfig(l.config) }

// Kubeconfig is the path of the administrator's kubeconfig, whose address is one
// inside the lab.
func (l *Lab) Kubeconfig() string { return l.dir.Kubeconfig() }

// Log is the path of the log of a part of the node, such as "kubelet".
func (l *Lab) Log(part string) string { return l.dir.Log(part) }

// Control stops and starts the parts of the node.
func (l *Lab) Control() *node.Control { return node.NewControl(l.dir) }

// hostPath is the path by which the node's mount namespace is reached from
// outside.
func (l *Lab) hostPath(path string) string {
	return filepath.Join("/proc", strconv.Itoa(l.pid), "root", path)
}

// runs tells whether the process of the pid file is the lab's: process ids come
// round again.
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
