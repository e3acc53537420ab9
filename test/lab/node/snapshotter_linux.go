package node

import (
	"os"
	"path/filepath"
	"syscall"
)

// snapshotter returns overlayfs if the folder's file system supports it, and otherwise
// native, which copies whole file systems. A container that is itself on overlayfs needs
// that.
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
