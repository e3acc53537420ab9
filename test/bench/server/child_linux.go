package server

import (
	"syscall"

	"github.com/clusterdns/clusterdns/test/kit/process"
)

// childAttributes returns attributes for NSD, which ends its children when it is asked to
// end, but not when it is killed.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }

func signalReload(p *process.Process) error { return p.Signal(syscall.SIGUSR1) }
