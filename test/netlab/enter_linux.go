package netlab

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"

	"github.com/vishvananda/netlink"
)

const resolvConfPath = "/etc/resolv.conf"

// enter prepares the new namespaces for tests. outside is the network namespace of the
// process outside.
func (m Machine) enter(outside string) error {
	inside, err := networkNamespace()
	if err != nil {
		return err
	}
	if inside == outside {
		return errors.New("not in a network namespace of its own: " + outsideVariable + " is not to be set by hand")
	}
	resolvConf, err := filepath.EvalSymlinks(resolvConfPath) // it may be a link to a file that is covered next
	if err != nil {
		return err
	}
	if err := coverVarRun(); err != nil {
		return err
	}
	if err := coverFile(resolvConf, "nameserver "+m.Resolver.String()+"\n"); err != nil {
		return err
	}
	return startLoopback(m.Addrs)
}

// coverVarRun mounts a file system in memory over /var/run, where no mount point has to be
// made outside first, and uses it for temporary files.
func coverVarRun() error {
	// Without this, mounts here may appear outside too.
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keeping mounts to this process: %w", err)
	}
	dir, err := filepath.EvalSymlinks("/var/run") // usually /run
	if err != nil {
		return err
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=755"); err != nil {
		return fmt.Errorf("mounting over %s: %w", dir, err)
	}
	temporary := filepath.Join(dir, "tmp")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		return err
	}
	return os.Setenv("TMPDIR", temporary)
}

// coverFile gives a file another content, for this process and those that it starts.
func coverFile(path, content string) error {
	if _, err := os.Lstat(path); errors.Is(err, fs.ErrNotExist) { // already covered with
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		return os.WriteFile(path, []byte(content), 0o644)
	}
	cover := filepath.Join(os.TempDir(), filepath.Base(path))
	if err := os.WriteFile(cover, []byte(content), 0o644); err != nil {
		return err
	}
	if err := syscall.Mount(cover, path, "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting over %s: %w", path, err)
	}
	return nil
}

// startLoopback adds the addresses to the loopback device. Without any other device or
// route, nothing can leave.
func startLoopback(addrs []netip.Addr) error {
	loopback, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(loopback); err != nil {
		return fmt.Errorf("starting the loopback device: %w", err)
	}
	for _, addr := range addrs {
		parsed, err := netlink.ParseAddr(netip.PrefixFrom(addr, addr.BitLen()).String())
		if err != nil {
			return err
		}
		if err := netlink.AddrAdd(loopback, parsed); err != nil {
			return fmt.Errorf("adding %s: %w", addr, err)
		}
	}
	return nil
}
