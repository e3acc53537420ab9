package conformance

import (
	"context"
	"errors"
	"fmt"
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

	"github.com/miekg/dns"
)

const readyURL = "http://127.0.0.1:8181/ready"

// complaint is a line that a server which has everything it needs does not log:
// CoreDNS' own errors, those of Kubernetes' client library, and the end of a
// program in a panic.
var complaint = regexp.MustCompile(`(?m)^.*(\[ERROR\]|\[FATAL\]|^E\d{4} |^panic: |^fatal error: ).*$`)

// readiness is the Corefile's line for the plugin behind readyURL.
var readiness = regexp.MustCompile(`(?m)^\s*ready\s*$`)

// process is a running server.
type process struct {
	cmd     *exec.Cmd
	logFile string
	ended   chan struct{} // closed when the process is gone
	err     error         // how it ended; to be read after ended
}

// startServer runs the server until the test ends, with dir as its working
// directory. Its environment is the one that is given and nothing else, as in a
// container.
func startServer(t *testing.T, corefile, dir string, env []string) *process {
	t.Helper()
	path, err := serverPath()
	if err != nil {
		t.Fatal(err)
	}
	temporary := t.TempDir()
	conf := filepath.Join(temporary, "Corefile")
	p := &process{
		cmd:     exec.Command(path, "-conf", conf),
		logFile: filepath.Join(temporary, "log"),
		ended:   make(chan struct{}),
	}
	if err := os.WriteFile(conf, []byte(corefile), 0o600); err != nil {
		t.Fatal(err)
	}
	p.cmd.Dir, p.cmd.Env = dir, append([]string{"PATH="}, env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t) })
	return p
}

func (p *process) start() error {
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
func (p *process) run(started chan<- error) {
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

// stop ends the server as kubelet does, and fails the test if the server did
// not run and end without complaint.
func (p *process) stop(t *testing.T) {
	p.cmd.Process.Signal(syscall.SIGTERM) // an error means that it has ended already
	select {
	case <-p.ended:
	case <-time.After(patience):
		t.Errorf("the server did not stop within %s", patience)
		p.cmd.Process.Kill()
		<-p.ended
	}
	if p.err != nil {
		t.Errorf("the server ended with %v", p.err)
	}
	log, err := os.ReadFile(p.logFile)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range complaint.FindAll(log, -1) {
		t.Errorf("the server logged: %s", line)
	}
	if t.Failed() {
		// A server that is asked again and again whether it is ready says so.
		lines := slices.Compact(strings.SplitAfter(string(log), "\n"))
		t.Logf("the server's log:\n%s", strings.Join(lines, ""))
	}
}

// awaitReady waits until the server says that it is ready, if it has the plugin
// to say so, and answers. It returns a client of it.
func (p *process) awaitReady(t *testing.T, corefile string) client {
	t.Helper()
	saysReady := readiness.MatchString(corefile)
	if saysReady {
		p.eventually(t, checkReady)
	}
	c := client{source: clientAddr, server: serverAddr}
	p.eventually(t, func(context.Context) (err error) {
		c.port, err = p.ports(corefile)
		return err
	})
	for network := range c.port {
		p.eventually(t, func(ctx context.Context) error { return probe(ctx, c, network, saysReady) })
	}
	return c
}

func (p *process) eventually(t *testing.T, check func(context.Context) error) {
	t.Helper()
	eventually(t, func(ctx context.Context) error {
		select {
		case <-p.ended:
			t.Fatalf("the server ended by itself: %v", p.err)
		default:
		}
		return check(ctx)
	})
}

func checkReady(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, readyURL, nil)
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

// probe asks for a name that no case asks for. Only a server that has not said
// that it is ready may have nothing to answer from.
func probe(ctx context.Context, c client, network string, saysReady bool) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	reply, err := c.ask(ctx, network, "probe.cluster.local.", dns.TypeA)
	if err == nil && reply.Rcode == dns.RcodeServerFailure && !saysReady {
		return fmt.Errorf("no data yet:\n%s", reply)
	}
	return err
}
