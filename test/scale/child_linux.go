package main

import "syscall"

// childAttributes makes the kernel kill the process when its parent ends. A
// process group of its own spares it the terminal's interrupt.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}
