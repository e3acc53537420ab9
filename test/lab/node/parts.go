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

// part is a process of the node outside the control plane.
type part struct {
	name  string
	args  []string
	ready func(context.Context) error
}

// parts returns the parts in the order in which they start.
func (d Dir) parts(kubeconfig string) ([]part, error) {
	configs, err := d.writeConfigs(kubeconfig)
	if err != nil {
		return nil, err
	}
	return []part{
		{
			name:  "upstream",
			args:  []string{"-conf", configs["upstream"]},
			ready: dialer("tcp", net.JoinHostPort(Address, "53")),
		}, {
			name:  "containerd",
			args:  []string{"--config", configs["containerd"]},
			ready: dialer("unix", ContainerdSocket),
		}, {
			name: "kubelet",
			args: []string{
				"--config=" + configs["kubelet"], "--kubeconfig=" + kubeconfig,
				"--hostname-override=" + Name, "--node-ip=" + Address + "," + AddressV6,
			},
			ready: getter("http://127.0.0.1:10248/healthz"),
		}, {
			name:  "kube-proxy",
			args:  []string{"--config=" + configs["kube-proxy"]},
			ready: getter("http://127.0.0.1:10256/livez"),
		}, {
			name:  "kube-scheduler",
			args:  []string{"--kubeconfig=" + kubeconfig, "--leader-elect=false", "--bind-address=127.0.0.1"},
			ready: dialer("tcp", "127.0.0.1:10259"),
		},
	}, nil
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
