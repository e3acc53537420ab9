//go:build !linux

package process

import (
	"os"
	"os/exec"
)

// completeAttributes leaves the process in its parent's group, so that at least
// the terminal's interrupt reaches it too: other systems cannot tie its life to
// that of its parent.
func completeAttributes(*exec.Cmd) {}

func killGroup(process *os.Process) { process.Kill() }
