//go:build !linux

package server

import (
	"errors"
	"syscall"

	"github.com/clusterdns/clusterdns/test/kit/process"
)

// childAttributes has nothing to add. Without /proc nothing can be measured there
// anyway.
func childAttributes() *syscall.SysProcAttr { return nil }

func signalReload(*process.Process) error { return errors.New("a reload is measured on Linux only") }
