// Package remains tells what has come to a machine, or gone from it, between two
// moments: what a lab must leave as it was.
//
//	before, err := remains.Take(ctx, root)
//	...
//	after, err := remains.Take(ctx, root)
//	for _, what := range after.Since(before) { ... }
//
// Kernel modules are left out: those that the lab needs stay loaded.
package remains

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
)

// State has a line for each thing, sorted.
type State []string

// Take reads the state of the machine. Of its processes those count that run in a
// process namespace of their own, or what the folder has.
func Take(ctx context.Context, folder string) (State, error) {
	var all State
	for what, read := range map[string]func() ([]string, error){
		"process":      func() ([]string, error) { return processes(folder) },
		"mount":        mounts,
		"namespace":    func() ([]string, error) { return filepath.Glob("/run/netns/*") },
		"interface":    interfaces,
		"address":      addresses,
		"route":        routes,
		"nftables":     func() ([]string, error) { return rules(ctx) },
		"cgroup":       cgroups,
		"file":         files,
		"setting":      settings,
		"lab's folder": func() ([]string, error) { return filepath.Glob(filepath.Join(folder, "bin", "lab.d")) },
	} {
		lines, err := read()
		if err != nil {
			return nil, fmt.Errorf("reading what there is of %s: %w", what, err)
		}
		for _, line := range lines {
			all = append(all, what+" "+line)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Since are the differences to an earlier state. A process may have gone by itself.
func (s State) Since(before State) (differences []string) {
	for _, line := range s {
		if _, found := slices.BinarySearch(before, line); !found {
			differences = append(differences, "new: "+line)
		}
	}
	for _, line := range before {
		if _, found := slices.BinarySearch(s, line); !found && !strings.HasPrefix(line, "process ") {
			differences = append(differences, "gone: "+line)
		}
	}
	return differences
}

// mounts are without their numbers, which are given anew (proc_pid_mountinfo(5)).
func mounts() ([]string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		kind := slices.Index(fields, "-")
		all = append(all, strings.Join(append(fields[3:5:5], fields[kind+1:]...), " "))
	}
	return all, nil
}

func interfaces() (all []string, err error) {
	links, err := netlink.LinkList()
	for _, link := range links {
		all = append(all, link.Attrs().Name+" "+link.Type())
	}
	return all, err
}

func addresses() (all []string, err error) {
	addrs, err := netlink.AddrList(nil, netlink.FAMILY_ALL)
	for _, addr := range addrs {
		all = append(all, fmt.Sprintf("%d %s", addr.LinkIndex, addr.IPNet))
	}
	return all, err
}

func routes() (all []string, err error) {
	list, err := netlink.RouteListFiltered(netlink.FAMILY_ALL, &netlink.Route{}, netlink.RT_FILTER_TABLE)
	for _, route := range list {
		all = append(all, route.String())
	}
	return all, err
}

// rules are those of nftables, without what they have counted.
func rules(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, "nft", "--stateless", "list", "ruleset").Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' }), err
}
