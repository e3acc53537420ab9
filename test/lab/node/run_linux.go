package node

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
)

// Attributes returns process attributes for the namespaces that Run expects. The process
// outlives the one that starts it.
func Attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC,
		Setsid:     true,
	}
}

// Run does the work of the lab's first process: it prepares the namespaces of the first
// node, starts the supervisor of the parts, and reaps orphans until the supervisor ends.
func Run(d Dir, settings Settings, supervise *exec.Cmd) error {
	if os.Getpid() != 1 {
		return errors.New("not the first process of a process namespace")
	}
	first := machine{dir: d, number: 1, settings: settings}
	runtime.LockOSThread() // the cgroup namespace is this thread's
	for _, step := range []func() error{
		d.coverFiles,
		coverKernel,
		d.enterCgroups,
		first.makeNetwork,
		func() error { return syscall.Sethostname([]byte(first.name())) },
		supervise.Start,
	} {
		if err := step(); err != nil {
			return fmt.Errorf("preparing the node: %w", err)
		}
	}
	go passOn(supervise.Process)
	return bury(supervise.Process.Pid)
}

// passOn passes the request to end on to the supervisor.
func passOn(supervisor *os.Process) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	for s := range signals {
		supervisor.Signal(s)
	}
}

// bury reaps every process that ends, as the first process of a namespace must, until the
// given process ends.
func bury(pid int) error {
	for {
		var status syscall.WaitStatus
		ended, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil:
			return err
		case ended == pid && status.ExitStatus() != 0:
			return fmt.Errorf("the supervisor ended with status %#x", uint32(status))
		case ended == pid:
			return nil
		}
	}
}
