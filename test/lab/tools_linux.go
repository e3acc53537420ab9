package lab

import (
	"debug/elf"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// tools are the files of the machine that the lab needs, with the Debian packages that have
// them.
var tools = map[string]string{
	"/usr/sbin/runc":          "runc",
	"/usr/lib/cni/bridge":     "containernetworking-plugins",
	"/usr/lib/cni/host-local": "containernetworking-plugins",
	"/usr/lib/cni/ptp":        "containernetworking-plugins",
	"/usr/sbin/nft":           "nftables",
	"/usr/sbin/iptables":      "iptables",
	"/bin/busybox":            "busybox-static",
	"/usr/bin/dig":            "bind9-dnsutils",
	"/usr/bin/host":           "bind9-host",
	"/usr/bin/curl":           "curl",
	"/usr/bin/gcc":            "gcc",
	"/usr/include/netdb.h":    "libc6-dev",
	"/usr/bin/musl-gcc":       "musl-tools",
}

// Install installs the Debian packages that the lab needs and that are missing.
func Install() error {
	if os.Geteuid() != 0 {
		return errors.New("the lab makes namespaces, devices and containers: run it as root")
	}
	missing := map[string][]string{}
	for path, name := range tools {
		if !usable(path) {
			missing[name] = append(missing[name], path)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(missing))
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("missing %v: install them (on Debian the packages %s)", missing, strings.Join(names, " "))
	}
	say("installing the packages %s", strings.Join(names, " "))
	return aptInstall(names)
}

// usable reports whether a file is there. The package busybox has one of that name which needs
// libraries, and the Pods of the lab have none.
func usable(path string) bool {
	if path != "/bin/busybox" {
		_, err := os.Stat(path)
		return err == nil
	}
	program, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer program.Close()
	return !slices.ContainsFunc(program.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}

func aptInstall(names []string) error {
	install := append([]string{"install", "-y", "-q", "--no-install-recommends"}, names...)
	for _, args := range [][]string{{"update", "-q"}, install} {
		cmd := exec.Command("apt-get", args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", cmd, err, out)
		}
	}
	return nil
}

// say reports progress.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "lab: "+format+"\n", args...) }
