// Package remains finds what a lab has left on a machine, or taken from it, between two
// moments:
//
//	before, err := remains.Take(ctx, root)
//	...
//	err = remains.Await(ctx, before, func(ctx context.Context) (remains.State, error) { return remains.Take(ctx, root) })
//
// Only what has the marks of that lab counts: its folder, its cgroups, its addresses, and
// the names that a node's parts give. Everything else that starts or ends on the machine
// meanwhile belongs to others. Kernel modules do not count: those that the lab needs stay
// loaded.
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
	"time"

	"github.com/vishvananda/netlink"
	"k8s.io/apimachinery/pkg/util/wait"
)

// State has one line for each thing, sorted.
type State []string

// Take reads the state of the machine with respect to the lab of a repository.
func Take(ctx context.Context, repository string) (State, error) {
	l := labOf(repository)
	var all State
	for what, read := range map[string]func() ([]string, error){
		"process":      func() ([]string, error) { return l.processes("/proc") },
		"mount":        func() ([]string, error) { return marked(mounts, mountMarks(repository)) },
		"namespace":    func() ([]string, error) { return filepath.Glob("/run/netns/cni-*") },
		"interface":    func() ([]string, error) { return marked(interfaces, interfaceMarks) },
		"address":      func() ([]string, error) { return marked(addresses, addressMarks) },
		"route":        func() ([]string, error) { return marked(routes, addressMarks) },
		"nftables":     func() ([]string, error) { return marked(func() ([]string, error) { return rules(ctx) }, ruleMarks) },
		"cgroup":       l.cgroups,
		"file":         files,
		"setting":      settings,
		"lab's folder": func() ([]string, error) { return filepath.Glob(string(l)) },
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

const (
	// interval is the time between two looks.
	interval = 100 * time.Millisecond
	// patience is how long the kernel may take to remove a lab, on a slow machine.
	patience = 2 * time.Minute
)

// Await waits until the state is as it was before. The kernel removes namespaces some time
// after their last process has ended, and reading the state may fail or be slow on a busy
// machine.
func Await(ctx context.Context, before State, take func(context.Context) (State, error)) error {
	return await(ctx, before, take, patience)
}

func await(ctx context.Context, before State, take func(context.Context) (State, error), patience time.Duration) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, interval, patience, true, func(ctx context.Context) (bool, error) {
		after, err := take(ctx)
		if err != nil {
			if ctx.Err() == nil || last == nil { // otherwise the end of patience made it fail
				last = err
			}
			return false, nil
		}
		if differences := after.Since(before); len(differences) > 0 {
			last = errors.New(strings.Join(differences, "\n"))
			return false, nil
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("the machine is not seen to be as before the lab: %w\n%w", err, last)
	}
	return nil
}

// Since returns the differences to an earlier state. It ignores processes that have ended.
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

// mounts returns the mounts without their numbers, which change (proc_pid_mountinfo(5)).
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

// rules returns the rules of nftables without their counters.
func rules(ctx context.Context) ([]string, error) {
	out, err := exec.CommandContext(ctx, "nft", "--stateless", "list", "ruleset").Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%w: %s", err, exit.Stderr)
	}
	return strings.FieldsFunc(string(out), func(r rune) bool { return r == '\n' }), err
}
