package netlab

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// confDir is the folder of the ConfigMap in a container of CoreDNS.
const confDir = "/etc/coredns"

// StartContained runs the server as in its container until the test ends: the root of the
// file system has nothing but the binary, the ConfigMap, the ServiceAccount, resolv.conf,
// hosts and /proc. It does not use the server's own Corefile and Dir.
func StartContained(t *testing.T, s Server, configMap fs.FS) *Process {
	t.Helper()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "proc"), 0o755); err != nil {
		t.Fatal(err)
	}
	for path, files := range map[string]fs.FS{confDir: configMap, accountDir: os.DirFS(accountDir)} {
		if err := os.CopyFS(filepath.Join(root, path), files); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeEtc(root); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "coredns"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bind(t, s.Binary, filepath.Join(root, "coredns"))
	bind(t, "/proc", filepath.Join(root, "proc"))
	cmd := s.command("/coredns", "-conf", filepath.Join(confDir, "Corefile"))
	cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{Chroot: root}
	return s.start(t, cmd)
}

// writeEtc writes the files that a container runtime provides.
func writeEtc(root string) error {
	resolvConf, err := os.ReadFile(resolvConfPath)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{resolvConfPath: string(resolvConf), "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n"} {
		if err := os.WriteFile(filepath.Join(root, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// bind makes a file or a folder appear at another path too, until the test ends.
func bind(t *testing.T, path, at string) {
	t.Helper()
	if err := syscall.Mount(path, at, "", syscall.MS_BIND|syscall.MS_REC, ""); err != nil {
		t.Fatalf("mounting %s: %v", path, err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(at, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmounting %s: %v", path, err)
		}
	})
}
