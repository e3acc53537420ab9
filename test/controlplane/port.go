package controlplane

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"syscall"
)

// port is a TCP port of 127.0.0.1 that the kernel gives to nobody else until it is
// released.
//
// If a test found a free port, closed it and passed its number to a child process, another
// process could take it in between, and at every restart of the child. Here the socket
// stays bound all the time but does not listen. The child can bind and listen beside it
// because both set SO_REUSEADDR, as all listeners of Go programs do. The kernel does not
// choose a bound port for another listener or for an outgoing connection.
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

// url returns "scheme://127.0.0.1:port".
func (p *port) url(scheme string) string {
	return scheme + "://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(p.number))
}
