package node

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// HostSettings are kernel settings that kubelet changes and that have no namespace.
var HostSettings = []string{
	"kernel/keys/root_maxbytes", "kernel/keys/root_maxkeys", "kernel/panic", "kernel/panic_on_oops",
	"vm/overcommit_memory", "vm/panic_on_oom",
}

// coverFiles covers the files outside that the node would change, and those of the first
// node from another.
func (d Dir) coverFiles() error {
	// Without this, mounts here would appear outside too.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keeping mounts to the node: %w", err)
	}
	// kubelet shares its mounts with containers.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, ""); err != nil {
		return fmt.Errorf("sharing mounts within the node: %w", err)
	}
	resolvConf, err := filepath.EvalSymlinks("/etc/resolv.conf") // it may be a link into a folder that is covered next
	if err != nil {
		return err
	}
	for _, path := range []string{"/var/lib", "/var/log"} {
		if err := d.coverDir(path); err != nil {
			return err
		}
	}
	if err := syscall.Mount("tmpfs", "/run", "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mounting over /run: %w", err)
	}
	return errors.Join(d.coverResolvConf(resolvConf), d.coverHosts())
}

func (d Dir) coverDir(path string) error {
	cover := d.path(path)
	if err := os.MkdirAll(cover, 0o755); err != nil {
		return err
	}
	return bind(cover, path)
}

func (d Dir) coverResolvConf(path string) error {
	content := fmt.Sprintf("search %s\nnameserver %s\n", HostSearch, Address)
	cover, err := d.write("resolv.conf", content)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil { // it was in /run
		_, err := Dir("/").write(path, content)
		return err
	}
	return bind(cover, path)
}

// coverHosts gives the node a hosts file with one name more than a machine's own.
func (d Dir) coverHosts() error {
	cover, err := d.write("hosts", "127.0.0.1 localhost\n::1 localhost\n"+HostAddress+" "+HostName+"\n")
	if err != nil {
		return err
	}
	return bind(cover, "/etc/hosts")
}

// coverKernel shows the processes of the node's own process namespace, and covers the
// kernel's settings.
func coverKernel() error {
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	return coverSettings()
}

// coverSettings makes kubelet change copies of the settings.
func coverSettings() error {
	for _, name := range HostSettings {
		setting := filepath.Join("/proc/sys", name)
		value, err := os.ReadFile(setting)
		if err != nil {
			return err
		}
		cover, err := Dir("/run/settings").write(name, string(value))
		if err != nil {
			return err
		}
		if err := bind(cover, setting); err != nil {
			return err
		}
	}
	return nil
}

func bind(source, target string) error {
	if err := syscall.Mount(source, target, "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting over %s: %w", target, err)
	}
	return nil
}
