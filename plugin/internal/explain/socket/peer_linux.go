package socket

import (
	"net"
	"os"

	"golang.org/x/sys/unix"
)

func listen() (net.Listener, error) {
	name, err := nameOf(os.Getpid())
	if err != nil {
		return nil, err
	}
	return net.Listen("unix", name)
}

// trusted reports whether the other end of a connection is a process of this PID namespace, a certain one if
// process is not 0, and has this process's user or is root.
func trusted(c net.Conn, process int) bool {
	raw, err := c.(*net.UnixConn).SyscallConn()
	if err != nil {
		return false
	}
	var peer *unix.Ucred
	var failed error
	if err := raw.Control(func(fd uintptr) { peer, failed = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) }); err != nil || failed != nil {
		return false
	}
	return trusts(peer, process, os.Geteuid())
}

// trusts has the rule. A command of root may ask a server of any user.
func trusts(peer *unix.Ucred, process, user int) bool {
	own := peer.Uid == 0 || int(peer.Uid) == user || process != 0 && user == 0
	return own && peer.Pid > 0 && (process == 0 || int(peer.Pid) == process)
}
