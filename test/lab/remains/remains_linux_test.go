package remains

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
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

// What runs from the folder is seen, and what does not is none of the lab's.
func TestProcesses(t *testing.T) {
	folder := t.TempDir()
	sleep := filepath.Join(folder, "sleep")
	program, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(sleep, content, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{sleep, program} {
		cmd := exec.Command(path, "60")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			cmd.Process.Kill()
			_ = cmd.Wait() // it has been killed
		})
	}
	all, err := processes(folder)
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(line string) bool { return !strings.Contains(line, "sleep") })
	if len(all) != 1 || !strings.HasSuffix(all[0], " "+sleep) {
		t.Errorf("%q, want one of %s", all, sleep)
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
	if _, err := cgroups(); err != nil {
		t.Error(err)
	}
}
