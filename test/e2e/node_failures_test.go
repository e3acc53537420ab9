//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// kill ends the processes of a container as a crash would.
func kill(t *testing.T, container string) {
	t.Helper()
	signal(t, container, syscall.SIGKILL)
}

// hang stops the processes of a container until the test ends. They take packets, and answer none.
func hang(t *testing.T, container string) {
	t.Helper()
	signal(t, container, syscall.SIGSTOP)
	t.Cleanup(func() {
		for _, pid := range processesOf(t, container) {
			_ = syscall.Kill(pid, syscall.SIGCONT) // the kubelet may have ended it
		}
	})
}

func signal(t *testing.T, container string, s syscall.Signal) {
	t.Helper()
	reached := 0
	for _, pid := range processesOf(t, container) {
		if err := syscall.Kill(pid, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			t.Fatal(err)
		}
		reached++
	}
	if reached == 0 {
		t.Fatalf("container %s has no process", container)
	}
}

// processesOf returns the processes of a container.
func processesOf(t *testing.T, container string) (pids []int) {
	t.Helper()
	groups, err := filepath.Glob("/proc/[0-9]*/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range groups {
		text, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(text), container) {
			continue // it has ended, or is another's
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			t.Fatal(err)
		}
		pids = append(pids, pid)
	}
	return pids
}

// hog takes 8 MiB in the memory group whose folder it is given. When the memory of the group has run
// out, the kernel ends the largest process, which is the server.
const hog = `echo $$ >"$0/cgroup.procs" && exec dd if=/dev/zero of=/dev/null bs=8M count=1 status=none`

// exhaustMemory gives a container a limit that is soon met, so that the kernel kills its server. The
// kubelet starts the container again with the limit of its Pod.
func exhaustMemory(t *testing.T, container string) {
	t.Helper()
	group := memoryGroup(t, container)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(group, name), []byte(text), 0); err != nil {
			t.Fatal(err)
		}
	}
	write("memory.force_empty", "0") // of cached pages, which would make room
	usage, err := os.ReadFile(filepath.Join(group, "memory.usage_in_bytes"))
	if err != nil {
		t.Fatal(err)
	}
	used, err := strconv.Atoi(strings.TrimSpace(string(usage)))
	if err != nil {
		t.Fatal(err)
	}
	write("memory.limit_in_bytes", strconv.Itoa(used+1<<20))
	before := processesOf(t, container)
	out, err := exec.CommandContext(t.Context(), "sh", "-c", hog, group).CombinedOutput()
	eventually(t, func(context.Context) error {
		for _, pid := range before {
			if syscall.Kill(pid, 0) == nil {
				return fmt.Errorf("the server is still there; the process beside it: %w\n%s", err, out) // it may be killed as well
			}
		}
		return nil
	})
}

// memoryGroup returns the folder of the control group that bounds a container's memory.
func memoryGroup(t *testing.T, container string) string {
	t.Helper()
	for _, pid := range processesOf(t, container) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if _, path, ok := strings.Cut(strings.TrimSpace(line), ":memory:"); ok {
				return filepath.Join("/sys/fs/cgroup/memory", path)
			}
		}
	}
	t.Skipf("container %s has no memory group of cgroup v1", container)
	return ""
}

func deletePod(t *testing.T, s nodeServer, how ...string) {
	t.Helper()
	kubectl(t, append([]string{"delete", "pod", "--namespace=" + dnsNamespace, s.awaitPod(t, ".metadata.name"), "--wait=false"}, how...)...)
}

// breakCorefile puts a Corefile that no server starts with into a ConfigMap, waits until it
// has reached the nodes, and puts the original back when the test ends.
func breakCorefile(t *testing.T, configMap string) {
	t.Helper()
	original := kubectl(t, "get", "configmap", "--namespace="+dnsNamespace, configMap, "-o", "jsonpath={.data.Corefile}")
	patch := func(text string) {
		patch, err := json.Marshal(map[string]any{"data": map[string]string{"Corefile": text}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), patience)
		defer cancel()
		if _, err := cluster.Kubectl(ctx, "patch", "configmap", "--namespace="+dnsNamespace, configMap, "--patch", string(patch)); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(func() { patch(original) })
	patch("nonsense {\n" + original)
	time.Sleep(2 * syncTime) // the kubelet writes it to the volume at its next look
}

// syncTime is how often the kubelets of the lab look for changes of ConfigMaps.
const syncTime = 5 * time.Second
