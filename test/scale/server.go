package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

const (
	readyTimeout = 2 * time.Minute
	readyPoll    = 2 * time.Millisecond
	// logTail is how much of a log an error quotes, in bytes.
	logTail = 4096
)

// server is a CoreDNS process under measurement. It dies with this process.
type server struct {
	addresses
	cmd     *exec.Cmd
	pid     int
	logFile string
	began   time.Time     // just before exec
	ended   chan struct{} // closed when the process is gone
	http    *http.Client
}

// startServer starts the binary with kubeadm's Corefile in the folder.
func startServer(bin, dir, kubeconfig string, verified bool) (*server, error) {
	a, err := freeAddresses()
	if err != nil {
		return nil, err
	}
	text, err := corefile(a, kubeconfig, verified)
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "Corefile")
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		return nil, err
	}
	s := &server{
		addresses: a,
		cmd:       exec.Command(bin, "-conf", conf),
		logFile:   filepath.Join(dir, "coredns.log"),
		ended:     make(chan struct{}),
		http:      &http.Client{Timeout: 10 * time.Second},
	}
	return s, s.start()
}

func (s *server) start() error {
	log, err := os.Create(s.logFile)
	if err != nil {
		return err
	}
	defer log.Close() // the process has a copy of its own
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = childAttributes()
	started := make(chan error)
	go s.run(started)
	if err := <-started; err != nil {
		return fmt.Errorf("starting %s: %w", s.cmd.Path, err)
	}
	s.pid = s.cmd.Process.Pid
	return nil
}

// run keeps the thread that starts the process to itself, since Linux kills the
// process when that thread ends.
func (s *server) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s.began = time.Now()
	err := s.cmd.Start()
	started <- err
	if err == nil {
		s.cmd.Wait() //nolint:errcheck // it is killed, or the log says why it ended
		close(s.ended)
	}
}

// kill ends the process at once: it has nothing to save.
func (s *server) kill() {
	s.cmd.Process.Kill() // an error means that it has ended already
	<-s.ended
}

// awaitReady polls /ready and returns the time from exec to its 200 OK.
func (s *server) awaitReady(ctx context.Context) (time.Duration, error) {
	var ready time.Duration
	err := poll(ctx, readyTimeout, readyPoll, func() (bool, error) {
		select {
		case <-s.ended:
			return false, errors.New("process ended")
		default:
		}
		_, err := s.get(ctx, s.ready, "/ready")
		ready = time.Since(s.began)
		return err == nil, nil
	})
	if err != nil {
		return 0, fmt.Errorf("%s is not ready: %w\n%s", s.cmd.Path, err, s.tail())
	}
	return ready, nil
}

// liveHeap is what a garbage collection leaves. The requests themselves make
// garbage, so the least of several is nearest to the truth.
func (s *server) liveHeap(ctx context.Context) (float64, error) {
	var least float64
	for range 5 {
		if _, err := s.get(ctx, s.profile, "/debug/pprof/heap?gc=1"); err != nil {
			return 0, err
		}
		metrics, err := s.get(ctx, s.metrics, "/metrics")
		if err != nil {
			return 0, err
		}
		now, err := parseMetric(metrics, "go_memstats_heap_alloc_bytes")
		if err != nil {
			return 0, err
		}
		if least == 0 || now < least {
			least = now
		}
	}
	return least, nil
}

// parseMetric finds the value of a metric without labels.
func parseMetric(text, name string) (float64, error) {
	for line := range strings.Lines(text) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(value), 64)
		}
	}
	return 0, fmt.Errorf("no metric %s", name)
}

func (s *server) get(ctx context.Context, address, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return "", err
	}
	response, err := s.http.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", path, response.Status)
	}
	return string(body), err
}

// tail is the end of the log, for an error message.
func (s *server) tail() string {
	log, err := os.ReadFile(s.logFile)
	if err != nil {
		return err.Error()
	}
	return string(log[max(0, len(log)-logTail):])
}

// poll calls done in intervals until it is, fails, or time is up. An interval of
// zero means no pause.
func poll(ctx context.Context, timeout, interval time.Duration, done func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(interval):
		}
	}
}
