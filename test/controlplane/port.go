package controlplane

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// port is a TCP port of 127.0.0.1 that the kernel gives to nobody else until it
// is released.
//
// To find a free port, close it and hand its number to a child process leaves a
// gap in which another process can take it, and so does every restart of the
// child. Here the socket stays bound all the time but does not listen. The
// child can bind and listen beside it because both set SO_REUSEADDR, which all
// listeners of Go programs do, while the kernel passes the port over when it
// picks one for another listener or for an outgoing connection.
type port struct {
	number int
	socket *os.File
}

func reservePort() (*port, error) {
	syscall.ForkLock.RLock() // no child may inherit the socket
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, fmt.Errorf("reserving a port: %w", os.NewSyscallError("socket", err))
	}
	p := &port{socket: os.NewFile(uintptr(fd), "reserved port")}
	if p.number, err = bindLoopback(fd); err != nil {
		p.release()
		return nil, fmt.Errorf("reserving a port: %w", err)
	}
	return p, nil
}

func bindLoopback(fd int) (int, error) {
	if err := syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1); err != nil {
		return 0, os.NewSyscallError("setsockopt", err)
	}
	if err := syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return 0, os.NewSyscallError("bind", err)
	}
	address, err := syscall.Getsockname(fd)
	if err != nil {
		return 0, os.NewSyscallError("getsockname", err)
	}
	return address.(*syscall.SockaddrInet4).Port, nil
}

func (p *port) release() { p.socket.Close() }

// url is "scheme://127.0.0.1:port".
func (p *port) url(scheme string) string {
	return scheme + "://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(p.number))
}
