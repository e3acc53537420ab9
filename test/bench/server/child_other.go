//go:build !linux

package server

import (
	"os"
	"syscall"
)

// childAttributes has nothing to add where the kernel cannot tie a process to
// its parent. Without /proc nothing can be measured there anyway.
func childAttributes() *syscall.SysProcAttr { return nil }

func killGroup(process *os.Process) { process.Kill() }
