// Package process runs the servers that tests and measurements need. Each server ends with
// the process that started it and writes a log. Callers wait until it is ready.
package process

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
	// StartTimeout is how long a process may take until it is ready. It is many times what
	// an idle machine needs, because machines may be busy.
	StartTimeout = 2 * time.Minute
	// stopTimeout is how long a process may take to end by itself.
	stopTimeout = 30 * time.Second
	// logTail is how many bytes at the end of a log an error quotes.
	logTail = 4096
)

// Process is a process that this one started and that ends with this one. A nil Process was
// never started.
type Process struct {
	cmd     *exec.Cmd
	logFile string
	began   time.Time
	ended   chan struct{} // closed when the process is gone
	err     error         // why it ended; valid after ended is closed
}

// Start starts the binary in the environment of this process, and appends its output to the
// log file.
func Start(binary, logFile string, args ...string) (*Process, error) {
	return StartCommand(exec.Command(binary, args...), logFile)
}

// StartCommand starts a command and appends its output to the log file. It adds the system
// attributes that end the command with this process.
func StartCommand(cmd *exec.Cmd, logFile string) (*Process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close() // the process has a copy of its own
	p := &Process{cmd: cmd, logFile: logFile, ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = log, log
	completeAttributes(cmd)
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", p, err)
	}
	return p, nil
}

// run locks the thread that starts the process as long as the process lives: Linux kills
// the process when that thread ends. A thread ends if a goroutine locks it and then ends,
// for instance a test in another network namespace.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	p.began = time.Now()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// ID returns the id of the process.
func (p *Process) ID() int { return p.cmd.Process.Pid }

// Began returns the time just before the program was started.
func (p *Process) Began() time.Time { return p.began }

// Log returns the path of the log file.
func (p *Process) Log() string { return p.logFile }

// Signal sends the process a signal.
func (p *Process) Signal(signal os.Signal) error { return p.cmd.Process.Signal(signal) }

// Err returns why the process has ended; nil after a success and while it runs.
func (p *Process) Err() error {
	if !p.hasEnded() {
		return nil
	}
	return p.err
}

// AwaitReady repeats the probe until it succeeds. It fails as soon as the process has
// ended.
func (p *Process) AwaitReady(ctx context.Context, probe func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, StartTimeout)
	defer cancel()
	last := errors.New("not tried")
	err := wait.PollUntilContextCancel(ctx, 25*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		if p.hasEnded() {
			return false, fmt.Errorf("process ended: %w", p.endError())
		}
		last = probe(ctx)
		return last == nil, nil
	})
	if wait.Interrupted(err) {
		err = fmt.Errorf("%w, last probe: %w", err, last)
	}
	if err != nil {
		return fmt.Errorf("%s is not ready: %w\n%s", p, err, p.Tail())
	}
	return nil
}

func (p *Process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *Process) endError() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}

// Running reports whether the process runs. A nil Process does not.
func (p *Process) Running() bool { return p != nil && !p.hasEnded() }

// Kill ends the process at once.
func (p *Process) Kill() {
	if p == nil {
		return
	}
	p.cmd.Process.Kill() // an error means that it has ended already
	<-p.ended
}

// KillGroup ends the process and its descendants at once.
func (p *Process) KillGroup() {
	killGroup(p.cmd.Process)
	<-p.ended
}

// Stop asks the process to end, and kills it if it does not end in time.
func (p *Process) Stop() error {
	if p == nil {
		return nil
	}
	p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended already
	deadline := time.NewTimer(stopTimeout)
	defer deadline.Stop()
	select {
	case <-p.ended:
		return nil
	case <-deadline.C:
		p.Kill()
		return fmt.Errorf("%s did not stop within %s\n%s", p, stopTimeout, p.Tail())
	}
}

func (p *Process) String() string { return filepath.Base(p.cmd.Path) }

// Tail returns the end of the log, under a heading, for an error message.
func (p *Process) Tail() string {
	log, err := os.ReadFile(p.logFile)
	if err != nil {
		return err.Error()
	}
	if len(log) > logTail {
		log = log[len(log)-logTail:]
	}
	return fmt.Sprintf("--- end of %s ---\n%s", p.logFile, strings.TrimSpace(string(log)))
}
