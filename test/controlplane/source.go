package controlplane

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// source is where the code of a command is.
type source struct {
	dir    string // module, below the repository's folder test
	path   string // package
	isTest bool   // the command is the package's test binary
}

// sources are the commands by name. Each package is a tool in the go.mod of its module.
var sources = map[string]source{
	etcdCommand:              {dir: "cluster", path: "go.etcd.io/etcd/server/v3"},
	apiServerCommand:         {dir: "cluster", path: "k8s.io/kubernetes/cmd/kube-apiserver"},
	controllerManagerCommand: {dir: "cluster", path: "k8s.io/kubernetes/cmd/kube-controller-manager"},
	"kube-scheduler":         {dir: "cluster", path: "k8s.io/kubernetes/cmd/kube-scheduler"},
	"kube-proxy":             {dir: "cluster", path: "k8s.io/kubernetes/cmd/kube-proxy"},
	"kubelet":                {dir: "cluster", path: "k8s.io/kubernetes/cmd/kubelet"},
	"kubeadm":                {dir: "cluster", path: "k8s.io/kubernetes/cmd/kubeadm"},
	"kubectl":                {dir: "cluster", path: "k8s.io/kubernetes/cmd/kubectl"},
	"agnhost":                {dir: "cluster", path: "k8s.io/kubernetes/test/images/agnhost"},
	"e2e.test":               {dir: "cluster", path: "k8s.io/kubernetes/test/e2e", isTest: true},

	"containerd":              {dir: "containerd", path: "github.com/containerd/containerd/v2/cmd/containerd"},
	"containerd-shim-runc-v2": {dir: "containerd", path: "github.com/containerd/containerd/v2/cmd/containerd-shim-runc-v2"},
	"ctr":                     {dir: "containerd", path: "github.com/containerd/containerd/v2/cmd/ctr"},
}

func findSource(command string) (source, error) {
	s, known := sources[command]
	if !known {
		names := slices.Sorted(maps.Keys(sources))
		return source{}, fmt.Errorf("no such command: expected one of %s", strings.Join(names, ", "))
	}
	return s, nil
}

// goCommand returns the arguments of the go command. It does not vet another project's
// packages, which would take as long as to build them.
func (s source) goCommand() []string {
	if s.isTest {
		return []string{"test", "-c", "-vet=off"}
	}
	return []string{"build"}
}
