//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/lab"
)

// nodeServer is a server that a DaemonSet runs on a node.
type nodeServer struct {
	*lab.Node
	selector string // of the Pods of the DaemonSet
}

// pod returns the value at a path of the server's Pod: the newest one, because the one before may still be ending.
func (s nodeServer) pod(ctx context.Context, path string) (string, error) {
	value, err := cluster.Kubectl(ctx, "get", "pods", "--namespace="+dnsNamespace, "--selector="+s.selector,
		"--field-selector=spec.nodeName="+s.Name, "--sort-by=.metadata.creationTimestamp", "-o", "jsonpath={.items[-1:]"+path+"}")
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

// renew puts a new Pod in the place of the server's, and waits until it is ready and the others are.
func (s nodeServer) renew(t *testing.T, d nodeDNS) {
	t.Helper()
	const name = ".metadata.name"
	before := s.awaitPod(t, name)
	kubectl(t, "delete", "pod", "--namespace="+dnsNamespace, before)
	eventually(t, func(ctx context.Context) error {
		now, err := s.pod(ctx, name)
		if err == nil && now == before {
			err = fmt.Errorf("Pod %s is still there", before)
		}
		return err
	})
	if err := cluster.AwaitRollout(t.Context(), dnsNamespace, d.daemonSet); err != nil {
		t.Fatal(err)
	}
}

// startedAt returns when the process of the server was started, or the zero time if there is none.
func (s nodeServer) startedAt(t *testing.T) time.Time {
	t.Helper()
	for _, pid := range processesOf(t, s.container(t)) {
		return startOf(t, pid)
	}
	return time.Time{}
}

// startOf returns when a process was started: in ticks after the start of the machine, the 20th
// field behind its name (proc_pid_stat(5)).
func startOf(t *testing.T, pid int) time.Time {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	uptime, err := os.ReadFile("/proc/uptime")
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')'):]))
	ticks, err := strconv.Atoi(fields[20])
	if err != nil {
		t.Fatal(err)
	}
	now, err := strconv.ParseFloat(strings.Fields(string(uptime))[0], 64)
	if err != nil {
		t.Fatal(err)
	}
	const ticksPerSecond = 100
	return time.Now().Add(-time.Duration((now - float64(ticks)/ticksPerSecond) * float64(time.Second)))
}

// stateFile returns the path, from outside, of the file in which the server on a node keeps
// what it serves.
func (s nodeServer) stateFile(t *testing.T) string {
	t.Helper()
	return s.HostPath(filepath.Join("/var/lib/kubelet/pods", s.awaitPod(t, ".metadata.uid"), "volumes/kubernetes.io~empty-dir/state/cluster"))
}
