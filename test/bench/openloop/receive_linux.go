package openloop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"runtime"
	"syscall"
	"time"
)

const (
	// maxMessage is large enough for answers with EDNS; a cut end does not matter.
	maxMessage = 4096
	// pollMillis is how often the receiver checks whether it may end.
	pollMillis = 20
	// bufferSize is large enough for all answers that arrive while the receiver waits for a
	// CPU.
	bufferSize = 4 << 20
)

// open makes the sockets. They are connected, so that the server's address is looked up
// only once.
func (r *run) open() error {
	address, err := net.ResolveUDPAddr("udp4", r.load.Server)
	if err != nil {
		return err
	}
	to := &syscall.SockaddrInet4{Port: address.Port, Addr: [4]byte(address.IP.To4())}
	for i := range r.sockets {
		if r.sockets[i], err = openSocket(to); err != nil {
			return fmt.Errorf("opening a socket to %s: %w", r.load.Server, err)
		}
	}
	return nil
}

func openSocket(to syscall.Sockaddr) (int, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	err = errors.Join(
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1),
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUF, bufferSize),
		syscall.Connect(fd, to),
	)
	if err != nil {
		syscall.Close(fd)
		return 0, err
	}
	return fd, nil
}

func (r *run) close() {
	for _, fd := range r.sockets {
		if fd > 0 {
			syscall.Close(fd)
		}
	}
}

// receive reads answers until the run is done.
func (r *run) receive() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	epoll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return err
	}
	defer syscall.Close(epoll)
	for i, fd := range r.sockets {
		event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(i)}
		if err := syscall.EpollCtl(epoll, syscall.EPOLL_CTL_ADD, fd, &event); err != nil {
			return err
		}
	}
	events := make([]syscall.EpollEvent, sockets)
	message, control := make([]byte, maxMessage), make([]byte, 64)
	for !r.done.Load() {
		n, err := syscall.EpollWait(epoll, events, pollMillis)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return err
		}
		for i := range max(n, 0) {
			if err := r.drain(int(events[i].Fd), message, control); err != nil {
				return err
			}
		}
	}
	return nil
}

// drain reads everything that is waiting on one socket.
func (r *run) drain(socket int, message, control []byte) error {
	for {
		n, controlled, _, _, err := syscall.Recvmsg(r.sockets[socket], message, control, 0)
		if errors.Is(err, syscall.EAGAIN) {
			return nil
		}
		if errors.Is(err, syscall.EINTR) || errors.Is(err, syscall.ECONNREFUSED) {
			continue // the server is gone, so its questions stay unanswered
		}
		if err != nil {
			return err
		}
		r.count(socket, message[:n], control[:controlled])
	}
}

// count records an answer. It ignores answers without a question and repeated ones.
func (r *run) count(socket int, message, control []byte) {
	const response = 0x80 // bit of the first octet of the flags
	if len(message) < 12 || message[2]&response == 0 {
		return
	}
	i := int(r.pending[socket][binary.BigEndian.Uint16(message)].Swap(0)) - 1
	if i < 0 {
		return
	}
	r.took[i] = max(1, stamp(control)-r.due[i])
	r.answered.Add(1)
}

// stamp returns when the kernel received the datagram, or the current time if it does not
// say. The control message has a header of two words, length and kind, and a timespec.
func stamp(control []byte) int64 {
	const header = syscall.SizeofCmsghdr
	if len(control) < header+16 || binary.NativeEndian.Uint32(control[12:]) != syscall.SCM_TIMESTAMPNS {
		return time.Now().UnixNano()
	}
	seconds := int64(binary.NativeEndian.Uint64(control[header:]))
	return seconds*int64(time.Second) + int64(binary.NativeEndian.Uint64(control[header+8:]))
}
