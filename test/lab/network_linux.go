package lab

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Dial connects from the first node. The address must be numeric.
func (l *Lab) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return l.nodes[0].Dial(ctx, network, address)
}

// PodNetwork is the path of a Pod's network namespace.
type PodNetwork string

// PodNetwork returns the network namespace of a Pod: of those that containerd made, the one
// that has the Pod's address.
func (l *Lab) PodNetwork(ctx context.Context, namespace, pod string) (PodNetwork, error) {
	addr, err := l.Kubectl(ctx, "get", "pod", "--namespace", namespace, pod, "-o", "jsonpath={.status.podIP}")
	if err != nil {
		return "", err
	}
	var paths []string
	for _, n := range l.nodes {
		found, err := filepath.Glob(n.HostPath("/run/netns/*"))
		if err != nil {
			return "", err
		}
		paths = append(paths, found...)
	}
	for _, path := range paths {
		// A namespace that cannot be entered belongs to a Pod that has ended.
		if has, err := hasAddress(path, addr); err == nil && has {
			return PodNetwork(path), nil
		}
	}
	return "", fmt.Errorf("none of %q has the address %q of Pod %s/%s", paths, addr, namespace, pod)
}

func hasAddress(namespace, addr string) (has bool, err error) {
	err = within(namespace, func() error {
		addrs, err := net.InterfaceAddrs()
		has = slices.ContainsFunc(addrs, func(a net.Addr) bool { return strings.HasPrefix(a.String(), addr+"/") })
		return err
	})
	return has, err
}

// DialFrom connects from a Pod. The address must be numeric.
func (l *Lab) DialFrom(ctx context.Context, from PodNetwork, network, address string) (net.Conn, error) {
	return dialIn(ctx, string(from), network, address)
}

// WithinPod runs act in a Pod's network namespace. Sockets that it makes on its own
// goroutine stay there.
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

// within runs act on a thread in the network namespace. Sockets and processes that it makes
// stay there.
func within(namespace string, act func() error) error {
	target, err := os.Open(namespace)
	if err != nil {
		return err
	}
	defer target.Close()
	done := make(chan error)
	go func() {
		// The thread is never unlocked, so it ends with this goroutine and nothing else
		// runs in the other namespace.
		runtime.LockOSThread()
		if err := unix.Setns(int(target.Fd()), unix.CLONE_NEWNET); err != nil {
			done <- fmt.Errorf("entering network namespace %s: %w", namespace, err)
			return
		}
		done <- act()
	}()
	return <-done
}
