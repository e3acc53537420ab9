package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Dial connects from the node. The address must not be a name.
func (l *Lab) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return dialIn(ctx, l.network(), network, address)
}

// network is the path of the node's network namespace.
func (l *Lab) network() string { return filepath.Join("/proc", strconv.Itoa(l.pid), "ns", "net") }

// PodNetwork is the network namespace of a Pod, in which DialFrom connects. The
// Pod needs the command readlink.
type PodNetwork string

// PodNetwork finds a Pod's network namespace among those that containerd made.
func (l *Lab) PodNetwork(ctx context.Context, namespace, pod string) (PodNetwork, error) {
	link, err := l.Exec(ctx, namespace, pod, "readlink", "/proc/self/ns/net")
	if err != nil {
		return "", err
	}
	paths, err := filepath.Glob(l.hostPath("/run/netns/*"))
	if err != nil {
		return "", err
	}
	for _, path := range paths {
		var status syscall.Stat_t
		if err := syscall.Stat(path, &status); err != nil {
			continue // the Pod that it belonged to has ended
		}
		if strings.TrimSpace(link) == fmt.Sprintf("net:[%d]", status.Ino) {
			return PodNetwork(path), nil
		}
	}
	return "", fmt.Errorf("none of %q is the network namespace %s of Pod %s/%s", paths, strings.TrimSpace(link), namespace, pod)
}

// DialFrom connects from a Pod. The address must not be a name.
func (l *Lab) DialFrom(ctx context.Context, from PodNetwork, network, address string) (net.Conn, error) {
	return dialIn(ctx, string(from), network, address)
}

// WithinPod runs the function in a Pod's network namespace: sockets that it makes
// on its own goroutine stay there.
func (l *Lab) WithinPod(from PodNetwork, act func() error) error { return within(string(from), act) }

func dialIn(ctx context.Context, namespace, network, address string) (connection net.Conn, err error) {
	if host, _, err := net.SplitHostPort(address); err != nil || net.ParseIP(host) == nil {
		return nil, fmt.Errorf("dialing %s: expected an IP address with a port", address)
	}
	err = within(namespace, func() error {
		connection, err = new(net.Dialer).DialContext(ctx, network, address)
		return err
	})
	return connection, err
}

// within runs the function on a thread in the network namespace. Sockets that it
// makes and processes that it starts stay there.
func within(namespace string, act func() error) error {
	target, err := os.Open(namespace)
	if err != nil {
		return err
	}
	defer target.Close()
	done := make(chan error)
	go func() {
		// Never unlocked: the thread, in another namespace, ends with this goroutine.
		runtime.LockOSThread()
		if err := unix.Setns(int(target.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("entering network namespace %s: %w", namespace, err)
			return
		}
		done <- act()
	}()
	return <-done
}
