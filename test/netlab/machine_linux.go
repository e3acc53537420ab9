package netlab

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"

	"github.com/clusterdns/clusterdns/test/kit/namespace"
)

// outsideVariable marks the process in the namespaces. Its value is the network namespace
// of the process outside.
const outsideVariable = "CLUSTERDNS_TEST_OUTSIDE"

// Machine describes the machine for the tests of a binary.
type Machine struct {
	// Addrs are the addresses of the loopback device, besides 127.0.0.1 and ::1.
	Addrs []netip.Addr
	// Resolver is the name server in /etc/resolv.conf.
	Resolver netip.Addr
	// Prepare runs first, outside, where there is a network.
	Prepare func() error
}

// Run runs the tests on the machine and returns the exit code of the binary. Short tests
// and lists of tests need no machine.
func (m Machine) Run(tests *testing.M) (exitCode int) {
	if testing.Short() || flag.Lookup("test.list").Value.String() != "" {
		return tests.Run()
	}
	outside := os.Getenv(outsideVariable)
	if outside == "" {
		return report(m.runInside())
	}
	if err := m.enter(outside); err != nil {
		return report(err)
	}
	return tests.Run()
}

// report prints the error, unless it is only the exit code of the process inside.
func report(err error) (exitCode int) {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit) && exit.Exited():
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// runInside runs this binary again in namespaces of its own.
func (m Machine) runInside() error {
	if err := m.Prepare(); err != nil {
		return err
	}
	outside, err := networkNamespace()
	if err != nil {
		return err
	}
	binary, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(binary, os.Args[1:]...)
	cmd.Env = append(os.Environ(), outsideVariable+"="+outside)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = namespace.Attributes(syscall.CLONE_NEWNET | syscall.CLONE_NEWNS)
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	runtime.LockOSThread() // Pdeathsig depends on the thread
	defer runtime.UnlockOSThread()
	return cmd.Run()
}

func networkNamespace() (string, error) { return os.Readlink("/proc/self/ns/net") }
