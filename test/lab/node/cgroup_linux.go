package node

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// hierarchy is a mounted cgroup hierarchy.
type hierarchy struct {
	root    string // where it is mounted
	own     string // folder of the cgroup of this process
	options string // mount options
	v2      bool
}

// enterCgroups puts this process into a new cgroup of each hierarchy, which becomes the
// root for everything that this thread starts, so that containers stay in it too. The
// thread must be locked.
func (d Dir) enterCgroups() error {
	hierarchies, err := findHierarchies()
	if err != nil {
		return err
	}
	var made []string
	for _, h := range hierarchies {
		made = append(made, filepath.Join(h.parent(), d.CgroupName()))
	}
	if _, err := d.write("cgroups", strings.Join(made, "\n")); err != nil {
		return err
	}
	if err := d.noteControllers(hierarchies); err != nil {
		return err
	}
	for i, h := range hierarchies {
		if err := h.join(made[i]); err != nil {
			return fmt.Errorf("joining cgroup %s: %w", made[i], err)
		}
	}
	if err := unix.Unshare(unix.CLONE_NEWCGROUP); err != nil {
		return fmt.Errorf("making a cgroup namespace: %w", err)
	}
	for _, h := range hierarchies {
		if err := h.remount(); err != nil {
			return fmt.Errorf("mounting %s: %w", h.root, err)
		}
	}
	return nil
}

// CgroupName returns the name of the node's cgroup in each hierarchy. It differs between
// nodes.
func (d Dir) CgroupName() string {
	sum := fnv.New32a()
	sum.Write([]byte(d))
	return fmt.Sprintf("clusterdns-lab-%x", sum.Sum32())
}

// parent returns the cgroup to make ours in. In cgroup v2 a cgroup with processes cannot
// enable controllers, except the root.
func (h hierarchy) parent() string {
	if h.v2 {
		return h.root
	}
	return h.own
}

func (h hierarchy) join(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if h.v2 {
		if err := passControllers(filepath.Dir(dir)); err != nil {
			return err
		}
	} else if err := copyCPUSet(filepath.Dir(dir), dir); err != nil {
		return err
	}
	return joinCgroup(dir)
}

// remount mounts the hierarchy as the namespace shows it. In cgroup v2 the namespace's root
// must have no process, so that it can enable its controllers.
func (h hierarchy) remount() error {
	kind := "cgroup"
	if h.v2 {
		kind = "cgroup2"
	}
	// The kernel does not mount a file system over itself.
	if err := unix.Unmount(h.root, unix.MNT_DETACH); err != nil {
		return err
	}
	if err := unix.Mount(kind, h.root, kind, 0, h.options); err != nil || !h.v2 {
		return err
	}
	leaf := filepath.Join(h.root, "node")
	if err := os.MkdirAll(leaf, 0o755); err != nil {
		return err
	}
	if err := joinCgroup(leaf); err != nil {
		return err
	}
	return passControllers(h.root)
}

func joinCgroup(dir string) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte("0"), 0o644)
}

// copyCPUSet gives a new cgroup of the hierarchy cpuset the processors of its parent,
// because no process can join it without them. In other hierarchies it does nothing.
func copyCPUSet(from, to string) error {
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), value, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// findHierarchies reads where hierarchies are mounted (proc_pid_mountinfo(5)) and
// where this process is in them (cgroups(7)).
func findHierarchies() ([]hierarchy, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	var found []hierarchy
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		kind := slices.Index(fields, "-") + 1
		if !strings.HasPrefix(fields[kind], "cgroup") {
			continue
		}
		h := hierarchy{root: fields[4], v2: fields[kind] == "cgroup2"}
		options := slices.DeleteFunc(strings.Split(fields[kind+2], ","), func(o string) bool { return o == "rw" || o == "ro" })
		h.options = strings.Join(options, ",")
		h.own = filepath.Join(h.root, ownPath(string(membership), options, h.v2))
		found = append(found, h)
	}
	if len(found) == 0 {
		return nil, errors.New("no cgroup hierarchy is mounted")
	}
	return found, nil
}

// ownPath finds the path in lines such as "4:memory:/some/group" and "0::/".
func ownPath(membership string, options []string, v2 bool) string {
	for line := range strings.Lines(membership) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		controller, _, _ := strings.Cut(part[1], ",")
		if v2 && part[0] == "0" || !v2 && part[0] != "0" && slices.Contains(options, controller) {
			return part[2]
		}
	}
	return "/"
}

// RemoveCgroups removes the cgroups of a node that has ended, and disables the controllers
// that were enabled for them. Some may have been removed already.
func (d Dir) RemoveCgroups() error {
	list, err := os.ReadFile(d.cgroupList())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, dir := range strings.Fields(string(list)) {
		if err := removeCgroup(dir); err != nil {
			return err
		}
	}
	return d.takeBackControllers()
}

// removeCgroup removes a cgroup after its descendants. A cgroup's files need not be
// removed, and cannot be.
func removeCgroup(dir string) error {
	var dirs []string
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() {
			dirs = append(dirs, path)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, path := range slices.Backward(dirs) {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}
