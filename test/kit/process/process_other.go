//go:build !linux

package process

import (
	"os"
	"os/exec"
)

// completeAttributes leaves the process in its parent's group, so that at least an
// interrupt from the terminal reaches it too: other systems cannot end it together with its
// parent.
func completeAttributes(*exec.Cmd) {}

func killGroup(process *os.Process) { process.Kill() }
