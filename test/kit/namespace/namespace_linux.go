// Package namespace lets processes of tests have namespaces of their own.
package namespace

import (
	"os"
	"syscall"
)

// Attributes returns attributes of a process with new namespaces: flags are those of clone(2). Root may make them, and any
// other user within a user namespace, in which the user is root.
func Attributes(flags uintptr) *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Cloneflags: flags}
	if flags != 0 && os.Geteuid() != 0 {
		attributes.Cloneflags |= syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}}
	}
	return attributes
}
