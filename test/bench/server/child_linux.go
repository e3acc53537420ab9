package server

import (
	"os"
	"syscall"
)

// childAttributes makes the kernel end the process when its parent ends. A
// process group of its own spares it the terminal's interrupt. NSD ends its
// children when it is told to end, not when it is killed.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
}

// killGroup ends the process and those below it. An error means that they have
// ended already.
func killGroup(process *os.Process) { syscall.Kill(-process.Pid, syscall.SIGKILL) } //nolint:errcheck // see above

func signalReload(process *os.Process) error { return process.Signal(syscall.SIGUSR1) }
