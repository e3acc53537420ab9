// Package socket carries one question of a command to the server beside it, and the reply back.
//
// The server listens at an abstract unix socket (unix(7)): it is no file, so it needs no volume and stays within
// the network namespace of the Pod. Its name has the PID namespace and the process of the server, so servers that
// share a network, as those with hostNetwork do, have different ones. Whoever connects must be a process of the
// server's own PID namespace, with the server's user or root; the command asks the same of the server. The kernel
// says both (SO_PEERCRED): a process that the PID namespace of the reader does not have is number 0, those of the node
// and of other Pods too.
//
// A question is an octet string up to its end, and so is the reply. Both are bounded, like the time that they may
// take and the number of connections.
package socket

import (
	"errors"
	"time"
)

const (
	maxRequest     = 4 << 10
	maxReply       = 1 << 20
	maxConnections = 4
	// readPatience is how long a question may take to arrive, and a reply to leave.
	readPatience = 5 * time.Second
	// patience is how long a reply may take to be found.
	patience = 60 * time.Second
	// prefix begins the names of the sockets. It begins with the character that stands for no file.
	prefix = "@clusterdns/"
)

// The errors of Ask.
var (
	// ErrNone is the error where no server listens.
	ErrNone    = errors.New("no server in this container answers commands")
	errForeign = errors.New("not a process of the same PID namespace and user")
	errRefused = errors.New("the server has closed the connection: it answers its own user and root, and four questions at a time")
	errSystem  = errors.New("a running server can be asked on Linux only")
)
