package remains

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/clusterdns/clusterdns/test/lab/node"
)

// lab is the folder of a lab.
type lab node.Dir

func labOf(repository string) lab { return lab(filepath.Join(repository, "bin", "lab.d")) }

func (l lab) cgroup() string { return node.Dir(l).CgroupName() }

// processes returns the lab's processes, from a folder like /proc.
func (l lab) processes(proc string) ([]string, error) {
	entries, err := os.ReadDir(proc)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil && pid != os.Getpid() {
			if program, own := l.owns(filepath.Join(proc, entry.Name())); own {
				all = append(all, fmt.Sprintf("%d %s", pid, program))
			}
		}
	}
	return all, nil
}

// owns reports whether a process is the lab's, and names its program. All processes of a
// lab but the first are in its cgroups from the beginning, and the first runs the lab's
// command. A process that cannot be read has ended, or is the kernel's.
func (l lab) owns(process string) (program string, own bool) {
	program, _ = os.Readlink(filepath.Join(process, "exe"))
	groups, _ := os.ReadFile(filepath.Join(process, "cgroup"))
	command := filepath.Join(filepath.Dir(string(l)), "lab")
	inGroup := slices.ContainsFunc(strings.Split(string(groups), "\n"), func(line string) bool {
		return slices.Contains(strings.Split(line, "/"), l.cgroup())
	})
	return program, inGroup || program == command || strings.HasPrefix(program, string(l)+"/")
}

// cgroups returns the lab's cgroups, and the controllers that the machine's own cgroups
// enable.
func (l lab) cgroups() (all []string, err error) {
	err = filepath.WalkDir("/sys/fs/cgroup", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // it has ended
			return nil
		case err != nil:
			return err
		case entry.IsDir() && entry.Name() == l.cgroup():
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

// The marks are parts of the lines about what a node's parts make: the node's network, the
// CNI plugins, kube-proxy, kubelet and containerd. All of that belongs in the lab's own
// namespaces.
var (
	interfaceMarks = []string{"cni", "nowhere", "kube"}
	addressMarks   = []string{"172.30.0.", "fd00:172:30:", "10.244.", "fd00:10:244:", "10.96.", "fd00:10:96:"}
	ruleMarks      = append([]string{"kube-proxy", "KUBE-", "CNI-", "cni"}, addressMarks...)
)

// mountMarks returns the mount points, each after a space, of the kubelet, containerd and
// the node itself.
func mountMarks(repository string) []string {
	return []string{
		" " + repository + "/", " /proc ", " /proc/sys/", " /var/lib ", " /var/lib/kubelet", " /var/lib/containerd", " /var/log ",
		" /run ", " /run/settings", " /run/containerd", " /run/netns/cni-", "/resolv.conf ", " /sys/fs/cgroup",
	}
}

// marked returns the lines that have one of the marks.
func marked(read func() ([]string, error), marks []string) ([]string, error) {
	lines, err := read()
	return slices.DeleteFunc(lines, func(line string) bool {
		return !slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(line, mark) })
	}), err
}

// files returns the files that the parts of a node would write if nothing covered them, and
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

// settings returns the kernel settings that kubelet, kube-proxy and the node's network
// change.
func settings() (all []string, err error) {
	names := append([]string{"net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding", "net/ipv4/conf/all/route_localnet"}, node.HostSettings...)
	for _, name := range names {
		value, err := os.ReadFile(filepath.Join("/proc/sys", name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // belongs to a module that is not loaded yet
		}
		if err != nil {
			return nil, err
		}
		all = append(all, name+" "+strings.TrimSpace(string(value)))
	}
	return all, nil
}
