package controlplane

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// The commands of a cluster.
const (
	etcdCommand              = "etcd"
	apiServerCommand         = "kube-apiserver"
	controllerManagerCommand = "kube-controller-manager"
)

// progressInterval is how often a long build reports that it is still running.
const progressInterval = 15 * time.Second

// Build returns the path of each named command (see sources), by name. It compiles the
// commands that are not in the user's cache folder. Without names it builds everything that
// Start may need. It reports progress on standard error.
//
// Any number of processes may build at the same time: one of them compiles, the others wait
// for it.
func Build(ctx context.Context, commands ...string) (map[string]string, error) {
	if len(commands) == 0 {
		commands = []string{etcdCommand, apiServerCommand, controllerManagerCommand}
	}
	binaries := make(map[string]string, len(commands))
	for _, command := range commands {
		binary, err := buildCommand(ctx, command)
		if err != nil {
			return nil, fmt.Errorf("building %s: %w", command, err)
		}
		binaries[command] = binary
	}
	return binaries, nil
}

func buildCommand(ctx context.Context, command string) (string, error) {
	source, err := findSource(command)
	if err != nil {
		return "", err
	}
	m, err := findModule(source.dir)
	if err != nil {
		return "", err
	}
	return m.build(ctx, command, source)
}

// build returns the path of the command's binary. It compiles the binary if there is none
// for the current state of the module.
func (m *module) build(ctx context.Context, command string, s source) (string, error) {
	binary := m.binaryPath(command, s)
	if exists(binary) {
		return binary, nil
	}
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return "", err
	}
	lock, err := lockFile(ctx, filepath.Join(m.cache, "kubernetes.lock"), command)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if exists(binary) { // built by the process that had the lock
		return binary, nil
	}
	return binary, m.compile(ctx, command, s, binary)
}

// compile writes the binary under another name first: a file at the final path is always
// complete, whatever interrupts the build.
func (m *module) compile(ctx context.Context, command string, s source, binary string) error {
	fmt.Fprintf(os.Stderr, "building %s from %s (first time only)...\n", command, m)
	partial := fmt.Sprintf("%s.partial-%d", binary, os.Getpid())
	defer os.Remove(partial)

	began := time.Now()
	stop := reportProgress(fmt.Sprintf("still building %s", command))
	err := m.runCompiler(ctx, s, partial)
	stop()
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "built %s in %s\n", command, time.Since(began).Round(time.Second))
	return os.Rename(partial, binary)
}

func (m *module) runCompiler(ctx context.Context, s source, output string) error {
	args := append(s.goCommand(), "-o", output)
	cmd := exec.CommandContext(ctx, "go", append(append(args, m.buildFlags()...), s.path)...)
	cmd.Dir = m.dir
	// Flags in the environment, such as build tags, must not change the binaries in the
	// cache, which all processes share.
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off", "GOFLAGS=-mod=readonly")
	var messages bytes.Buffer
	cmd.Stdout, cmd.Stderr = &messages, &messages
	err := cmd.Run()
	if ctx.Err() != nil {
		return fmt.Errorf("%w (run \"go run ./test/controlplane/build\" once, without a time limit)", ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd, err, messages.Bytes())
	}
	return nil
}

// reportProgress prints the message and the time spent every progressInterval
// until the returned function is called.
func reportProgress(message string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	began := time.Now()
	go func() {
		ticker := time.NewTicker(progressInterval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				fmt.Fprintf(os.Stderr, "%s (%s)...\n", message, time.Since(began).Round(time.Second))
			}
		}
	}()
	return cancel
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
