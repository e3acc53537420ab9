//go:build !linux

package process

import "syscall"

// attributes leaves the process in its parent's group, so that at least
// the terminal's interrupt reaches it too: other systems cannot tie its life to
// that of its parent.
func attributes() *syscall.SysProcAttr { return nil }
