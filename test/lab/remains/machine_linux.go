package remains

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/clusterdns/clusterdns/test/lab/node"
)

// processes are others than this one.
func processes(folder string) ([]string, error) {
	own, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var all []string
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		dir := filepath.Join("/proc", entry.Name())
		// What cannot be read is that of a process that has ended, or of the kernel.
		namespace, _ := os.Readlink(filepath.Join(dir, "ns", "pid"))
		program, _ := os.Readlink(filepath.Join(dir, "exe"))
		if namespace != "" && namespace != own || strings.HasPrefix(program, folder+"/") {
			all = append(all, fmt.Sprintf("%d %s", pid, program))
		}
	}
	return all, nil
}

// cgroups are the lab's, and what the machine's own pass on.
func cgroups() (all []string, err error) {
	err = filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // it has ended
			return nil
		case err != nil:
			return err
		case entry.IsDir() && strings.HasPrefix(entry.Name(), "clusterdns-lab-"):
			all = append(all, path)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, root := range []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified"} {
		if controllers, err := os.ReadFile(filepath.Join(root, "cgroup.subtree_control")); err == nil {
			all = append(all, root+" passes on "+strings.TrimSpace(string(controllers)))
		}
	}
	return all, nil
}

// files are what the parts of a node write to where nothing covers it, and the
// resolv.conf, which is covered.
func files() (all []string, err error) {
	for _, path := range []string{
		"/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni", "/var/log/pods", "/var/log/containers",
		"/run/containerd", "/run/flannel", "/etc/cni", "/opt/cni",
	} {
		if _, err := os.Stat(path); err == nil {
			all = append(all, path)
		}
	}
	resolvConf, err := os.ReadFile("/etc/resolv.conf")
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	return append(all, fmt.Sprintf("/etc/resolv.conf: %q", resolvConf)), err
}

// settings are those of the kernel that kubelet, kube-proxy and the node's network
// change.
func settings() (all []string, err error) {
	names := append([]string{"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/conf/all/route_localnet"}, node.HostSettings...)
	for _, name := range names {
		value, err := os.ReadFile(filepath.Join("/proc/sys", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // of a module that is not loaded yet
		}
		if err != nil {
			return nil, err
		}
		all = append(all, name+" "+strings.TrimSpace(string(value)))
	}
	return all, nil
}
