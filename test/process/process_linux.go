package process

import "syscall"

// attributes makes the kernel kill the process when its parent ends, even
// by a panic or a signal that leaves no time to clean up. A process group of
// its own spares it the terminal's interrupt, so that Cleanup can stop the
// processes in order.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
