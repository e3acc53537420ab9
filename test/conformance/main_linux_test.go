package conformance

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

// outsideVariable tells the process in the namespaces that it is there: it holds
// the network namespace of the process outside.
const outsideVariable = "CLUSTERDNS_TEST_OUTSIDE"

const builtServer = "../../bin/coredns"

var server = flag.String("server", "", "the `path` of the server to test (default bin/coredns, built anew)")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	outside := os.Getenv(outsideVariable)
	if testing.Short() || flag.Lookup("test.list").Value.String() != "" {
		return m.Run()
	}
	if outside == "" {
		return report(runInside())
	}
	if err := enter(outside); err != nil {
		return report(err)
	}
	return m.Run()
}

// report prints the error, if it is not just the exit code of the process inside.
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

// runInside builds what needs a network, and runs this binary again in
// namespaces of its own.
func runInside() error {
	if _, err := controlplane.Build(context.Background()); err != nil {
		return err
	}
	if err := buildServer(); err != nil {
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
	cmd.SysProcAttr = insideAttributes()
	runtime.LockOSThread() // Pdeathsig is about the thread
	defer runtime.UnlockOSThread()
	return cmd.Run()
}

// insideAttributes ask for the namespaces. They are root's to make, or anybody's
// in a user namespace, in which this user is root.
func insideAttributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Geteuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	return attributes
}

// buildServer has make build the server, which does nothing if it is as new as
// its sources.
func buildServer() error {
	if *server != "" {
		return nil
	}
	binary, err := filepath.Abs(builtServer)
	if err != nil {
		return err
	}
	cmd := exec.Command("make", "-s", "-C", "../..", "build", "BIN="+binary)
	// The flags of a make above this test must not reach the one below it.
	cmd.Env = append(os.Environ(), "MAKEFLAGS=", "MAKEOVERRIDES=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return nil
}

func serverPath() (string, error) {
	if *server != "" {
		return filepath.Abs(*server)
	}
	return filepath.Abs(builtServer)
}

func networkNamespace() (string, error) { return os.Readlink("/proc/self/ns/net") }
