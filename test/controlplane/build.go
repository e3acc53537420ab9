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

// The commands that a cluster is made of, each a main package below
// test/cluster/cmd.
const (
	etcdCommand              = "etcd"
	apiServerCommand         = "kube-apiserver"
	controllerManagerCommand = "kube-controller-manager"
)

// progressInterval is how often a long build says that it is still alive.
const progressInterval = 15 * time.Second

// Build returns the path of each named command of the module in test/cluster,
// by name, and compiles those that the user's cache folder does not hold yet.
// Without names it builds all that Start may need. Progress goes to standard
// error.
//
// Any number of processes may build at the same time: one of them compiles,
// the others wait for it.
func Build(ctx context.Context, commands ...string) (map[string]string, error) {
	if len(commands) == 0 {
		commands = []string{etcdCommand, apiServerCommand, controllerManagerCommand}
	}
	m, err := findModule()
	if err != nil {
		return nil, fmt.Errorf("building the test cluster: %w", err)
	}
	binaries := make(map[string]string, len(commands))
	for _, command := range commands {
		if binaries[command], err = m.build(ctx, command); err != nil {
			return nil, fmt.Errorf("building %s: %w", command, err)
		}
	}
	return binaries, nil
}

// build returns the path of the command's binary, which it compiles when there
// is none for the module's present state.
func (m *module) build(ctx context.Context, command string) (string, error) {
	binary, err := m.binaryPath(command)
	if err != nil || exists(binary) {
		return binary, err
	}
	if err := os.MkdirAll(filepath.Dir(binary), 0o755); err != nil {
		return "", err
	}
	lock, err := lockFile(ctx, filepath.Join(m.cache, "kubernetes.lock"), command)
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if exists(binary) { // built by the process that held the lock
		return binary, nil
	}
	return binary, m.compile(ctx, command, binary)
}

// compile writes the binary under another name first: a file at the final path
// is always complete, whatever interrupts the build.
func (m *module) compile(ctx context.Context, command, binary string) error {
	fmt.Fprintf(os.Stderr, "building %s for Kubernetes %s (first time only, about 5 minutes in all)...\n", command, m.version)
	partial := fmt.Sprintf("%s.partial-%d", binary, os.Getpid())
	defer os.Remove(partial)

	began := time.Now()
	stop := reportProgress(fmt.Sprintf("still building %s", command))
	err := m.runCompiler(ctx, command, partial)
	stop()
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "built %s in %s\n", command, time.Since(began).Round(time.Second))
	return os.Rename(partial, binary)
}

func (m *module) runCompiler(ctx context.Context, command, output string) error {
	args := append([]string{"build", "-C", m.dir, "-o", output}, m.buildFlags()...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./cmd/"+command)...)
	// Flags of the surroundings, such as build tags, must not decide what all
	// processes find in the cache.
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
