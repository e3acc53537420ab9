//go:build !linux

package server

import (
	"errors"
	"os"
	"syscall"
)

// childAttributes has nothing to add where the kernel cannot tie a process to
// its parent. Without /proc nothing can be measured there anyway.
func childAttributes() *syscall.SysProcAttr { return nil }

func killGroup(process *os.Process) { process.Kill() }

func signalReload(*os.Process) error { return errors.New("a reload is measured on Linux only") }
