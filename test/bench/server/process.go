// Package server starts the DNS servers that the bench command measures.
package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/miekg/dns"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/clusterdns/clusterdns/test/bench/oracle"
	"github.com/clusterdns/clusterdns/test/kit/process"
)

const (
	readyTimeout = 2 * time.Minute
	readyPoll    = 2 * time.Millisecond
)

// Setup is the input for starting servers.
type Setup struct {
	Ours, Stock      string // binaries
	Before           string // binary of an earlier build of ours; empty if none is measured
	Kubeconfig       string
	Upstream         string // address of the server for outside names
	ZoneDir          string // folder of the files of WriteZones
	Certificate, Key string // files, for DNS over TLS
	Verified         bool   // "pods verified" in the Corefile in place of "pods insecure"
}

// Process is a server under measurement. It ends with this process.
type Process struct {
	*process.Process
	Addresses
	Kind Kind

	http *http.Client
}

// Start starts a server, with its files in the folder.
func Start(k Kind, s Setup, dir string) (*Process, error) {
	a, err := freeAddresses()
	if err != nil {
		return nil, err
	}
	write := k.write
	if k.Corefile != nil {
		write = k.Corefile.write
	}
	args, err := write(s, a, dir)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(k.program(s), args...)
	cmd.Env = append(os.Environ(), k.Env...)
	cmd.SysProcAttr = childAttributes()
	started, err := process.StartCommand(cmd, filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	return &Process{Process: started, Addresses: a, Kind: k, http: &http.Client{Timeout: 10 * time.Second}}, nil
}

// Kill ends the process and its descendants at once: there is nothing to save.
func (p *Process) Kill() { p.KillGroup() }

// Reload makes CoreDNS read its Corefile again, and waits until it has done so.
func (p *Process) Reload(ctx context.Context) error {
	before, err := p.reloads()
	if err != nil {
		return err
	}
	if err := signalReload(p.Process); err != nil {
		return err
	}
	err = wait.PollUntilContextTimeout(ctx, readyPoll, readyTimeout, true, func(context.Context) (bool, error) {
		now, err := p.reloads()
		return now > before, err
	})
	if err != nil {
		return fmt.Errorf("%s does not reload: %w\n%s", p, err, p.Tail())
	}
	return nil
}

// reloads returns how many reloads the log has.
func (p *Process) reloads() (int, error) {
	log, err := os.ReadFile(p.Log())
	return bytes.Count(log, []byte("Reloading complete")), err
}

// AwaitReady waits until the server answers from all of its data, and returns the time
// since exec. CoreDNS itself reports that.
func (p *Process) AwaitReady(ctx context.Context) (time.Duration, error) {
	var ready time.Duration
	err := wait.PollUntilContextTimeout(ctx, readyPoll, readyTimeout, true, func(ctx context.Context) (bool, error) {
		if !p.Running() {
			return false, errors.New("process ended")
		}
		err := p.checkReady(ctx)
		ready = time.Since(p.Began())
		return err == nil, nil
	})
	if err != nil {
		return 0, fmt.Errorf("%s is not ready: %w\n%s", p, err, p.Tail())
	}
	return ready, nil
}

func (p *Process) checkReady(ctx context.Context) error {
	if p.Kind.Corefile != nil {
		_, err := p.get(ctx, p.Ready, "/ready")
		return err
	}
	for _, origin := range oracle.Zones {
		reply, err := dns.ExchangeContext(ctx, new(dns.Msg).SetQuestion(origin, dns.TypeSOA), p.DNS)
		if err != nil {
			return err
		}
		if len(reply.Answer) != 1 {
			return fmt.Errorf("no SOA for %s: %s", origin, dns.RcodeToString[reply.Rcode])
		}
	}
	return nil
}

func (p *Process) get(ctx context.Context, address, path string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, nil)
	if err != nil {
		return "", err
	}
	response, err := p.http.Do(request)
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
