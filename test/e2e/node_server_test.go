//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/clusterdns/clusterdns/test/lab"
)

// nodeServer is a server that a DaemonSet runs on a node.
type nodeServer struct {
	*lab.Node
	selector string // of the Pods of the DaemonSet
}

// pod returns the value at a path of the server's Pod.
func (s nodeServer) pod(ctx context.Context, path string) (string, error) {
	value, err := cluster.Kubectl(ctx, "get", "pods", "--namespace="+dnsNamespace, "--selector="+s.selector,
		"--field-selector=spec.nodeName="+s.Name, "-o", "jsonpath={.items[0]"+path+"}")
	if err == nil && value == "" {
		err = fmt.Errorf("the server on %s has nothing at %s yet", s.Name, path)
	}
	return value, err
}

func (s nodeServer) awaitPod(t *testing.T, path string) (value string) {
	t.Helper()
	eventually(t, func(ctx context.Context) (err error) {
		value, err = s.pod(ctx, path)
		return err
	})
	return value
}

// container returns the id of the server's container.
func (s nodeServer) container(t *testing.T) string {
	t.Helper()
	return strings.TrimPrefix(s.awaitPod(t, ".status.containerStatuses[0].containerID"), "containerd://")
}

// kill ends the processes of a container as a crash would.
func kill(t *testing.T, container string) {
	t.Helper()
	groups, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	killed := 0
	for _, path := range groups {
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), container) {
			continue // it has ended, or is another's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err == nil {
			err = syscall.Kill(pid, syscall.SIGKILL)
		}
		if err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
		killed++
	}
	if killed == 0 {
		t.Fatalf("container %s has no process", container)
	}
}

// stateFile returns the path, from outside, of the file in which the server on a node keeps
// what it serves.
func (s nodeServer) stateFile(t *testing.T) string {
	t.Helper()
	return s.HostPath(filepath.Join("/var/lib/kubelet/pods", s.awaitPod(t, ".metadata.uid"), "volumes/kubernetes.io~empty-dir/state/cluster"))
}
