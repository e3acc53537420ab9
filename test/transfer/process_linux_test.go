package transfer

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that runs until it is stopped, or until the test ends. It must end
// in order, and a server of ours without a data race.
type process struct {
	cmd     *exec.Cmd
	stdin   io.Closer
	logFile string
	ended   chan struct{} // closed when it is gone
	err     error         // how it ended; valid after ended is closed
	stopped sync.Once
	signal  os.Signal // asks it to end; nil if the end of standard input does
}

// startServerProcess starts a server of ours, which ends with its standard input.
func startServerProcess(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	return startProcess(t, cmd, nil)
}

func startProcess(t *testing.T, cmd *exec.Cmd, signal os.Signal) *process {
	t.Helper()
	p := &process{cmd: cmd, logFile: filepath.Join(t.TempDir(), "log"), ended: make(chan struct{}), signal: signal}
	log, err := os.Create(p.logFile)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close() // the process has its own copy
	cmd.Stdout, cmd.Stderr = log, log
	if p.stdin, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("log of %s:\n%s", filepath.Base(cmd.Path), p.log(t))
		}
	})
	return p
}

// run locks the thread that starts the process, because Linux kills the process when that
// thread ends.
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err == nil {
		p.err = p.cmd.Wait()
		close(p.ended)
	}
}

// stop ends the process. It may be called twice.
func (p *process) stop(t *testing.T) {
	t.Helper()
	p.stopped.Do(func() {
		p.stdin.Close() // a server of ours waits for that only
		if p.signal != nil {
			p.cmd.Process.Signal(p.signal)
		}
		select {
		case <-p.ended:
		case <-time.After(patience):
			p.cmd.Process.Kill()
			<-p.ended
		}
		if p.err != nil {
			t.Errorf("%s ended with %v", filepath.Base(p.cmd.Path), p.err)
		}
	})
}

// kill ends the process at once.
func (p *process) kill() {
	p.stopped.Do(func() {
		p.cmd.Process.Kill()
		<-p.ended
	})
}

func (p *process) log(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.logFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// awaitLog waits until a line of the log contains all words.
func (p *process) awaitLog(t *testing.T, words ...string) {
	t.Helper()
	eventually(t, func() error {
		if p.mentions(t, words...) == 0 {
			return fmt.Errorf("no line with %q", words)
		}
		return nil
	})
}

// mentions counts the lines of the log that contain all words.
func (p *process) mentions(t *testing.T, words ...string) int {
	t.Helper()
	count := 0
lines:
	for line := range strings.Lines(p.log(t)) {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue lines
			}
		}
		count++
	}
	return count
}
