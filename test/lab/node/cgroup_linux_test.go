package node

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// /proc/self/cgroup on a machine with both cgroup versions, and on one with the second
// only.
const (
	bothVersions = "9:name=systemd:/user\n4:memory:/some/group\n3:cpu,cpuacct:/\n0::/unified\n"
	secondOnly   = "0::/user.slice/session-1.scope\n"
)

func TestOwnPath(t *testing.T) {
	for _, tc := range []struct {
		membership string
		options    []string
		v2         bool
		want       string
	}{
		{bothVersions, []string{"memory"}, false, "/some/group"},
		{bothVersions, []string{"xattr", "name=systemd"}, false, "/user"},
		{bothVersions, []string{"cpu", "cpuacct"}, false, "/"},
		{bothVersions, []string{"nsdelegate"}, true, "/unified"},
		{bothVersions, []string{"pids"}, false, "/"},
		{secondOnly, nil, true, "/user.slice/session-1.scope"},
	} {
		if got := ownPath(tc.membership, tc.options, tc.v2); got != tc.want {
			t.Errorf("options %q: %q, want %q", tc.options, got, tc.want)
		}
	}
}

func TestNewDirRefusesWhatIsCovered(t *testing.T) {
	for _, path := range []string{"/run", "/run/lab", "/var/lib/me/lab"} {
		if _, err := NewDir(path); err == nil {
			t.Errorf("%s: no error", path)
		}
	}
	if _, err := NewDir(t.TempDir()); err != nil {
		t.Error(err)
	}
}

// A controller that was enabled before the node started stays enabled when the node ends.
func TestHeldBack(t *testing.T) {
	for _, tc := range []struct {
		all, passed string
		want        []string
	}{
		{"cpu memory pids\n", "memory\n", []string{"cpu", "pids"}},
		{"hugetlb\n", "\n", []string{"hugetlb"}},
		{"cpu\n", "cpu\n", nil},
		{"\n", "\n", nil},
	} {
		dir := t.TempDir()
		for name, text := range map[string]string{"cgroup.controllers": tc.all, "cgroup.subtree_control": tc.passed} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		held, err := heldBack(dir)
		if err != nil || !slices.Equal(held, tc.want) {
			t.Errorf("%q of %q: %q, %v, want %q", tc.passed, tc.all, held, err, tc.want)
		}
	}
}
