package lab

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Apply creates or updates the objects of a YAML stream.
func (l *Lab) Apply(ctx context.Context, manifest string) error {
	// Without this, kubectl takes a text that begins with a brace for JSON.
	_, err := l.run(ctx, strings.NewReader("---\n"+manifest), "apply", "--server-side", "--force-conflicts", "-f", "-")
	return err
}

// Exec runs a command in the first container of a Pod and returns its standard output. An
// error includes the standard error.
func (l *Lab) Exec(ctx context.Context, namespace, pod string, command ...string) (string, error) {
	return l.Kubectl(ctx, append([]string{"exec", "--namespace", namespace, pod, "--"}, command...)...)
}

// Kubectl runs kubectl as the administrator and returns its standard output. An error
// includes the standard error.
func (l *Lab) Kubectl(ctx context.Context, args ...string) (string, error) {
	return l.run(ctx, nil, args...)
}

func (l *Lab) run(ctx context.Context, stdin io.Reader, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, l.kubectl, append([]string{"--kubeconfig=" + l.Kubeconfig()}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := l.Within(cmd.Run); err != nil {
		return stdout.String(), fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// Within runs act in the first node's network namespace. Sockets and processes that it makes
// stay there.
func (l *Lab) Within(act func() error) error { return l.nodes[0].Within(act) }

// BecomeKubectl replaces this process by kubectl.
func (l *Lab) BecomeKubectl(args []string) error {
	target, err := os.Open(l.nodes[0].network())
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := unix.Setns(int(target.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	return syscall.Exec(l.kubectl, append([]string{"kubectl", "--kubeconfig=" + l.Kubeconfig()}, args...), os.Environ())
}
