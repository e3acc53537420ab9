package node

import (
	"os"
	"path/filepath"
	"syscall"
)

// snapshotter is overlayfs where the folder's file system bears it, and copies of
// whole file systems where not, as in a container that is itself on overlayfs.
func (d Dir) snapshotter() string {
	trial, err := os.MkdirTemp(string(d), "overlay-")
	if err != nil {
		return "native"
	}
	defer os.RemoveAll(trial)
	options := ""
	for _, option := range []string{"lowerdir", "upperdir", "workdir"} {
		dir := filepath.Join(trial, option)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return "native"
		}
		options += option + "=" + dir + ","
	}
	target := filepath.Join(trial, "lowerdir")
	if err := syscall.Mount("overlay", target, "overlay", 0, options[:len(options)-1]); err != nil {
		return "native"
	}
	if err := syscall.Unmount(target, 0); err != nil {
		return "native"
	}
	return "overlayfs"
}
