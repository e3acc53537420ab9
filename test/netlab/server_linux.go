package netlab

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// Patience is how long anything may take that is to happen soon. It is for busy
// machines.
const Patience = 30 * time.Second

// Server is a CoreDNS to start. Its environment is the one that is given and
// nothing else, as in a container.
type Server struct {
	Binary    string
	Corefile  string
	Dir       string // its working directory
	Env       []string
	Complaint *regexp.Regexp // lines that it must not log; nil for any line
}

// Process is a running server.
type Process struct {
	cmd       *exec.Cmd
	complaint *regexp.Regexp
	logFile   string
	ended     chan struct{} // closed when the process is gone
	err       error         // how it ended; to be read after ended
	killed    bool
}

// StartServer runs the server until the test ends.
func StartServer(t *testing.T, s Server) *Process {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(conf, []byte(s.Corefile), 0o600); err != nil {
		t.Fatal(err)
	}
	p := newProcess(t, s, s.Binary, "-conf", conf)
	p.cmd.Dir = s.Dir
	p.startWithin(t)
	return p
}

// newProcess prepares a process of the server.
func newProcess(t *testing.T, s Server, command string, args ...string) *Process {
	t.Helper()
	p := &Process{
		cmd:       exec.Command(command, args...),
		complaint: s.Complaint,
		logFile:   filepath.Join(t.TempDir(), "log"),
		ended:     make(chan struct{}),
	}
	p.cmd.Env = append([]string{"PATH="}, s.Env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return p
}

// startWithin starts the process for as long as the test runs.
func (p *Process) startWithin(t *testing.T) {
	t.Helper()
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t) })
}

// ID is the process's id.
func (p *Process) ID() int { return p.cmd.Process.Pid }

func (p *Process) start() error {
	log, err := os.Create(p.logFile)
	if err != nil {
		return err
	}
	defer log.Close() // the process has a copy of its own
	p.cmd.Stdout, p.cmd.Stderr = log, log
	started := make(chan error)
	go p.run(started)
	return <-started
}

// run keeps the thread that starts the process: Linux kills the process when
// that thread ends.
func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := p.cmd.Start()
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	close(p.ended)
}

// Kill ends the server at once, without the time that it gives its clients.
func (p *Process) Kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Error(err) // it has ended by itself
	}
	<-p.ended
	p.killed = true
}

// stop ends the server as kubelet does, and fails the test if the server did
// not run and end without complaint.
func (p *Process) stop(t *testing.T) {
	if p.killed {
		p.judgeLog(t)
		return
	}
	p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended already
	select {
	case <-p.ended:
	case <-time.After(Patience):
		t.Errorf("the server did not stop within %s", Patience)
		p.cmd.Process.Kill()
		<-p.ended
	}
	if p.err != nil {
		t.Errorf("the server ended with %v", p.err)
	}
	p.judgeLog(t)
}

func (p *Process) judgeLog(t *testing.T) {
	log, err := os.ReadFile(p.logFile)
	if err != nil {
		t.Fatal(err)
	}
	if p.complaint != nil {
		for _, line := range p.complaint.FindAll(log, -1) {
			t.Errorf("the server logged: %s", line)
		}
	}
	if t.Failed() {
		// A server that is asked again and again whether it is ready says so.
		lines := slices.Compact(strings.SplitAfter(string(log), "\n"))
		t.Logf("the server's log:\n%s", strings.Join(lines[max(0, len(lines)-100):], ""))
	}
}

// Eventually repeats the check until it succeeds, and ends the test if it does
// not in time or if the server is gone.
func (p *Process) Eventually(t *testing.T, check func(context.Context) error) {
	t.Helper()
	Eventually(t, func(ctx context.Context) error {
		select {
		case <-p.ended:
			log, _ := os.ReadFile(p.logFile)
			t.Fatalf("the server ended by itself: %v\n%s", p.err, log)
		default:
		}
		return check(ctx)
	})
}

// Eventually repeats the check until it succeeds, and ends the test if it does
// not in time.
func Eventually(t *testing.T, check func(context.Context) error) {
	t.Helper()
	var last error
	poll := func(ctx context.Context) (bool, error) {
		err := check(ctx)
		if ctx.Err() == nil { // else the check failed because time was up
			last = err
		}
		return err == nil, nil
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, Patience, true, poll); err != nil {
		t.Fatalf("%v: %v", err, last)
	}
}

// Ready checks whether the plugin ready at the address says so.
func Ready(address string) func(context.Context) error {
	return func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/ready", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return errors.New(response.Status)
		}
		return nil
	}
}
