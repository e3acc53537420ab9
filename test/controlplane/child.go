package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	// startTimeout is how long a process may take until it is ready. It is many
	// times what an idle machine needs, for the sake of busy ones.
	startTimeout = 2 * time.Minute
	// stopTimeout is how long a process may take to end by itself.
	stopTimeout = 30 * time.Second
	// logTail is how much of a log an error quotes, in bytes.
	logTail = 4096
)

// child is a process that this one started. It dies with this process.
type child struct {
	cmd     *exec.Cmd
	logFile string
	ended   chan struct{} // closed when the process is gone
	err     error         // why it ended; to be read after ended
}

// startChild appends the output of the process to the log file.
func startChild(binary, logFile string, args ...string) (*child, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has a copy of its own
	c := &child{cmd: exec.Command(binary, args...), logFile: logFile, ended: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = log, log
	c.cmd.SysProcAttr = childAttributes()
	started := make(chan error)
	go c.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", filepath.Base(binary), err)
	}
	return c, nil
}

// run keeps the thread that starts the process to itself while the process
// lives: Linux kills the process when that thread ends, which happens to any
// thread that a test locks and leaves, for instance in another network
// namespace.
func (c *child) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	c.err = c.cmd.Wait()
	close(c.ended)
}

// awaitReady polls the probe until it succeeds. It fails as soon as the process
// has ended.
func (c *child) awaitReady(ctx context.Context, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	last := errors.New("not tried")
	err := wait.PollUntilContextCancel(ctx, 25*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		if c.hasEnded() {
			return false, fmt.Errorf("process ended: %w", c.endError())
		}
		last = probe(ctx)
		return last == nil, nil
	})
	if wait.Interrupted(err) {
		err = fmt.Errorf("%w, last probe: %w", err, last)
	}
	if err != nil {
		return fmt.Errorf("%s is not ready: %w\n%s", c, err, c.tail())
	}
	return nil
}

func (c *child) hasEnded() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

func (c *child) endError() error {
	if c.err == nil {
		return errors.New("exit status 0")
	}
	return c.err
}

// running is false for a nil child: one that was never started.
func (c *child) running() bool { return c != nil && !c.hasEnded() }

// kill ends the process without giving it a chance to say goodbye.
func (c *child) kill() {
	if c == nil {
		return
	}
	c.cmd.Process.Kill() // an error means that it has ended already
	<-c.ended
}

// stop asks the process to end, and kills it when it does not obey in time.
func (c *child) stop() error {
	if c == nil {
		return nil
	}
	c.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended already
	deadline := time.NewTimer(stopTimeout)
	defer deadline.Stop()
	select {
	case <-c.ended:
		return nil
	case <-deadline.C:
		c.kill()
		return fmt.Errorf("%s did not stop within %s\n%s", c, stopTimeout, c.tail())
	}
}

func (c *child) String() string { return filepath.Base(c.cmd.Path) }

// tail is the end of the log, under a heading, for an error message.
func (c *child) tail() string {
	log, err := os.ReadFile(c.logFile)
	if err != nil {
		return err.Error()
	}
	if len(log) > logTail {
		log = log[len(log)-logTail:]
	}
	return fmt.Sprintf("--- end of %s ---\n%s", c.logFile, strings.TrimSpace(string(log)))
}
