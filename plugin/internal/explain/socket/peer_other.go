//go:build !linux

package socket

import "net"

func listen() (net.Listener, error) { return nil, errSystem }

func trusted(net.Conn, int) bool { return false }
