package remains

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestSince(t *testing.T) {
	before := State{"interface lo", "mount /proc", "process 7 /bin/a"}
	after := State{"interface lo", "interface veth0", "process 8 /bin/b"}
	want := []string{"new: interface veth0", "new: process 8 /bin/b", "gone: mount /proc"}
	if got := after.Since(before); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := before.Since(before); len(got) > 0 {
		t.Errorf("%q, want nothing", got)
	}
}

// C12: a process belongs to the lab by its cgroup or its program. Other processes on the
// machine do not, even in a process namespace of their own or from the same repository.
func TestC12Processes(t *testing.T) {
	l, proc := labOf("/src/clusterdns"), t.TempDir()
	for pid, p := range map[string]struct{ program, namespace, cgroup string }{
		"101": {"/src/clusterdns/bin/lab", "pid:[2]", "0::/"},
		"102": {"/usr/bin/kubelet", "pid:[2]", "0::/" + l.cgroup() + "/node"},
		"103": {"/usr/bin/etcd", "pid:[2]", "4:memory:/user/" + l.cgroup()},
		"104": {"/src/clusterdns/bin/lab.d/agnhost", "pid:[1]", "0::/"},
		"105": {"/usr/bin/dockerd-container", "pid:[3]", "0::/docker/1"},
		"106": {"/src/clusterdns/bin/coredns", "pid:[1]", "0::/"},
		"107": {"/usr/bin/kubelet", "pid:[4]", "0::/clusterdns-lab-other/node"},
		"x":   {"/src/clusterdns/bin/lab", "pid:[2]", "0::/"},
	} {
		writeProcess(t, filepath.Join(proc, pid), p.program, p.namespace, p.cgroup)
	}
	got, err := l.processes(proc)
	slices.Sort(got)
	want := []string{
		"101 /src/clusterdns/bin/lab", "102 /usr/bin/kubelet", "103 /usr/bin/etcd", "104 /src/clusterdns/bin/lab.d/agnhost",
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

func writeProcess(t *testing.T, dir, program, namespace, cgroup string) {
	t.Helper()
	err := errors.Join(
		os.MkdirAll(filepath.Join(dir, "ns"), 0o700),
		os.Symlink(program, filepath.Join(dir, "exe")),
		os.Symlink(namespace, filepath.Join(dir, "ns", "pid")),
		os.WriteFile(filepath.Join(dir, "cgroup"), []byte(cgroup+"\n"), 0o600),
	)
	if err != nil {
		t.Fatal(err)
	}
}

// C12: what others start on the machine is no difference.
func TestC12SomebodyElse(t *testing.T) {
	lines := []string{
		"4026531992 nsfs /run/netns/other nsfs", "/ /run/netns/cni-1 rw - nsfs nsfs rw", "/ /data rw - ext4 /dev/sdb rw", "/ /sys/fs/cgroup rw - cgroup2 cgroup rw",
	}
	got, err := marked(func() ([]string, error) { return lines, nil }, mountMarks("/src/clusterdns"))
	want := []string{"/ /run/netns/cni-1 rw - nsfs nsfs rw", "/ /sys/fs/cgroup rw - cgroup2 cgroup rw"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
}

// C12: a reading that fails, as on a busy machine, is repeated.
func TestC12SlowMachine(t *testing.T) {
	looks := 0
	take := func(context.Context) (State, error) {
		switch looks++; looks {
		case 1:
			return nil, errors.New("nft: signal: killed")
		case 2:
			return State{"cgroup a"}, nil
		}
		return nil, nil
	}
	if err := await(t.Context(), nil, take, time.Minute); err != nil || looks != 3 {
		t.Errorf("%v after %d looks", err, looks)
	}
	slow := func(ctx context.Context) (State, error) { <-ctx.Done(); return nil, ctx.Err() }
	if err := await(t.Context(), nil, slow, 10*time.Millisecond); err == nil {
		t.Error("no error where nothing is ever seen")
	}
	left := func(context.Context) (State, error) { return State{"cgroup a"}, nil }
	if err := await(t.Context(), nil, left, 10*time.Millisecond); err == nil || !strings.Contains(err.Error(), "new: cgroup a") {
		t.Errorf("%v, want what is left", err)
	}
}

func TestReaders(t *testing.T) {
	for name, read := range map[string]func() ([]string, error){
		"mounts": mounts, "interfaces": interfaces, "addresses": addresses, "routes": routes, "files": files, "settings": settings,
	} {
		if lines, err := read(); err != nil || len(lines) == 0 {
			t.Errorf("%s: %q, %v", name, lines, err)
		}
	}
	if _, err := labOf(t.TempDir()).cgroups(); err != nil {
		t.Error(err)
	}
}
