package netlab

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/process"
)

// Patience is how long a change may take on a busy machine.
const Patience = 30 * time.Second

// Complaint matches lines that a server must not log if it has everything it needs:
// CoreDNS's own errors, those of Kubernetes' client library, and the end of a program in a
// panic.
var Complaint = regexp.MustCompile(`(?m)^.*(\[ERROR\]|\[FATAL\]|^E\d{4} |^panic: |^fatal error: ).*$`)

// Server is a CoreDNS to start. It gets the given environment and nothing else, as in a
// container.
type Server struct {
	Binary    string
	Corefile  string
	Dir       string // its working folder
	Env       []string
	Complaint *regexp.Regexp // lines that it must not log; nil for none
}

// Process is a running server.
type Process struct {
	*process.Process
	complaint *regexp.Regexp
	killed    bool
}

// StartServer runs the server until the test ends.
func StartServer(t *testing.T, s Server) *Process {
	t.Helper()
	conf := filepath.Join(t.TempDir(), "Corefile")
	if err := os.WriteFile(conf, []byte(s.Corefile), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := s.command(s.Binary, "-conf", conf)
	cmd.Dir = s.Dir
	return s.start(t, cmd)
}

// command prepares the server's process.
func (s Server) command(binary string, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Env = append([]string{"PATH="}, s.Env...)
	return cmd
}

// start starts the server's process for as long as the test runs.
func (s Server) start(t *testing.T, cmd *exec.Cmd) *Process {
	t.Helper()
	started, err := process.StartCommand(cmd, filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	p := &Process{Process: started, complaint: s.Complaint}
	t.Cleanup(func() { p.stop(t) })
	return p
}

// Kill ends the server at once, without the time for its clients.
func (p *Process) Kill(t *testing.T) {
	t.Helper()
	if !p.Running() {
		t.Error("the server has ended by itself")
	}
	p.Process.Kill()
	p.killed = true
}

// stop ends the server like kubelet, and fails the test if the server did not run and end
// without complaint.
func (p *Process) stop(t *testing.T) {
	if !p.killed {
		if err := errors.Join(p.Stop(), p.Err()); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	}
	p.judgeLog(t)
}

func (p *Process) judgeLog(t *testing.T) {
	log, err := os.ReadFile(p.Log())
	if err != nil {
		t.Fatal(err)
	}
	if p.complaint != nil {
		for _, line := range p.complaint.FindAll(log, -1) {
			t.Errorf("the server logged: %s", line)
		}
	}
	if t.Failed() {
		// A server that is asked repeatedly whether it is ready repeats its log line.
		lines := slices.Compact(strings.SplitAfter(string(log), "\n"))
		t.Logf("the server's log:\n%s", strings.Join(lines[max(0, len(lines)-100):], ""))
	}
}

// Eventually repeats the check until it succeeds, and ends the test if it does
// not in time or if the server is gone.
func (p *Process) Eventually(t *testing.T, check func(context.Context) error) {
	t.Helper()
	Eventually(t, func(ctx context.Context) error {
		if !p.Running() {
			log, _ := os.ReadFile(p.Log())
			t.Fatalf("the server ended by itself: %v\n%s", p.Err(), log)
		}
		return check(ctx)
	})
}

// Eventually repeats the check until it succeeds, and ends the test if it does
// not in time.
func Eventually(t *testing.T, check func(context.Context) error) {
	t.Helper()
	await.Success(t, 20*time.Millisecond, Patience, check)
}

// Ready returns a check whether the plugin ready at the address answers OK.
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
