package node

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"github.com/clusterdns/clusterdns/test/kit/process"
)

// ContainerdSocket is the path of containerd's socket in the node's mount namespace.
const ContainerdSocket = "/run/containerd/containerd.sock"

// part is a process of a node outside the control plane.
type part struct {
	name  string
	args  []string
	ready func(context.Context) error
}

// parts returns the parts in the order in which they start.
func (m machine) parts() ([]part, error) {
	configs, err := m.writeConfigs()
	if err != nil {
		return nil, err
	}
	parts := m.ordinaryParts(configs)
	if !m.isFirst() {
		return parts, nil
	}
	upstream := part{
		name:  "upstream",
		args:  []string{"-conf", configs["upstream"]},
		ready: dialer("tcp", net.JoinHostPort(Address, "53")),
	}
	scheduler := part{
		name:  "kube-scheduler",
		args:  []string{"--kubeconfig=" + m.dir.Kubeconfig(), "--leader-elect=false", "--bind-address=127.0.0.1"},
		ready: dialer("tcp", "127.0.0.1:10259"),
	}
	return append(append([]part{upstream}, parts...), scheduler), nil
}

// ordinaryParts returns the parts of every node.
func (m machine) ordinaryParts(configs map[string]string) []part {
	return []part{
		{
			name:  "containerd",
			args:  []string{"--config", configs["containerd"]},
			ready: dialer("unix", ContainerdSocket),
		}, {
			name: "kubelet",
			args: []string{
				"--config=" + configs["kubelet"], "--kubeconfig=" + m.dir.Kubeconfig(),
				"--hostname-override=" + m.name(), "--node-ip=" + m.address() + "," + m.addressV6(),
			},
			ready: getter("http://127.0.0.1:10248/healthz"),
		}, {
			name:  "kube-proxy",
			args:  []string{"--config=" + configs["kube-proxy"]},
			ready: getter("http://127.0.0.1:10256/livez"),
		},
	}
}

// Commands returns the names of the parts' commands, for controlplane.Build.
func Commands() []string {
	return []string{"containerd", "containerd-shim-runc-v2", "kubelet", "kube-proxy", "kube-scheduler"}
}

// findByPath makes containerd find its shim.
func findByPath(binary string) error {
	return os.Setenv("PATH", filepath.Dir(binary)+":"+os.Getenv("PATH")+":/usr/sbin:/sbin")
}

func (d Dir) startPart(ctx context.Context, p part, binary string) (*process.Process, error) {
	started, err := process.Start(binary, d.Log(p.name), p.args...)
	if err != nil {
		return nil, err
	}
	if err := started.AwaitReady(ctx, p.ready); err != nil {
		started.Kill()
		return nil, err
	}
	return started, nil
}

func dialer(network, address string) func(context.Context) error {
	return func(ctx context.Context) error {
		connection, err := new(net.Dialer).DialContext(ctx, network, address)
		if err != nil {
			return err
		}
		return connection.Close()
	}
}

func getter(url string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	}
}
