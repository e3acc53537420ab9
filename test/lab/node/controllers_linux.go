package node

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// In cgroup v2, a cgroup enables controllers for its children by name
// (cgroup.subtree_control, cgroups(7)).

// passControllers enables all available controllers for the children of a cgroup.
func passControllers(dir string) error {
	held, err := heldBack(dir)
	if err != nil {
		return err
	}
	for _, controller := range held {
		if err := writeSubtree(dir, "+"+controller); err != nil {
			return err
		}
	}
	return nil
}

// heldBack returns the controllers that a cgroup has but does not enable for its children.
func heldBack(dir string) (held []string, err error) {
	all, err := os.ReadFile(filepath.Join(dir, "cgroup.controllers"))
	if err != nil {
		return nil, err
	}
	passed, err := os.ReadFile(filepath.Join(dir, "cgroup.subtree_control"))
	if err != nil {
		return nil, err
	}
	for _, controller := range strings.Fields(string(all)) {
		if !slices.Contains(strings.Fields(string(passed)), controller) {
			held = append(held, controller)
		}
	}
	return held, nil
}

func writeSubtree(dir, change string) error {
	return os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte(change), 0o644)
}

// noteControllers records, for the end of the node, which controllers the machine's own
// cgroups do not enable before the node enables them. Each line has a folder and its
// controllers.
func (d Dir) noteControllers(hierarchies []hierarchy) error {
	var lines []string
	for _, h := range hierarchies {
		if !h.v2 {
			continue
		}
		held, err := heldBack(h.parent())
		if err != nil {
			return err
		}
		lines = append(lines, strings.Join(append([]string{h.parent()}, held...), " "))
	}
	_, err := d.write(controllerList, strings.Join(lines, "\n"))
	return err
}

const controllerList = "controllers"

// takeBackControllers disables the controllers that the node enabled in the machine's own
// cgroups, except those that others now use.
func (d Dir) takeBackControllers() error {
	list, err := os.ReadFile(d.path(controllerList))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(list)) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		for _, controller := range fields[1:] {
			if err := writeSubtree(fields[0], "-"+controller); err != nil && !errors.Is(err, syscall.EBUSY) {
				return err
			}
		}
	}
	return nil
}
