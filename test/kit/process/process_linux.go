package process

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// completeAttributes makes the kernel kill the process when its parent ends, even by a
// panic or a signal without time to clean up, or send it the signal that the command names.
// The process gets a group of its own, so that an interrupt from the terminal does not
// reach it and its parent can stop processes in order.
func completeAttributes(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	if cmd.SysProcAttr.Pdeathsig == 0 {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	cmd.SysProcAttr.Setpgid = true
}

// An error means that they have ended already.
func killGroup(process *os.Process) { syscall.Kill(-process.Pid, syscall.SIGKILL) } //nolint:errcheck // see above

// OwnCPU returns the CPU time of this process, which other processes do not change.
func OwnCPU(tb testing.TB) time.Duration {
	tb.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
