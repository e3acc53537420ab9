//go:build !linux

package server

import (
	"errors"
	"syscall"

	"github.com/clusterdns/clusterdns/test/kit/process"
)

// childAttributes returns nil. Without /proc nothing can be measured anyway.
func childAttributes() *syscall.SysProcAttr { return nil }

func signalReload(*process.Process) error { return errors.New("a reload is measured on Linux only") }
