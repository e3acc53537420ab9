package node

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"sync"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/process"
)

// supervisor runs the control plane and the parts.
type supervisor struct {
	dir      Dir
	binaries map[string]string
	cluster  *controlplane.Cluster
	parts    []part

	mu      sync.Mutex // guards the fields below
	running map[string]*process.Process
}

// Supervise starts everything, then serves a Control until the context ends. upstream is
// the binary of a CoreDNS, for the DNS of the outside world. All processes that it starts
// end with this one.
func Supervise(ctx context.Context, d Dir, upstream string) error {
	binaries, err := controlplane.Build(ctx, Commands()...)
	if err != nil {
		return err
	}
	if err := findByPath(binaries["containerd-shim-runc-v2"]); err != nil {
		return err
	}
	binaries["upstream"] = upstream
	s := &supervisor{dir: d, binaries: binaries, running: map[string]*process.Process{}}
	if err := s.start(ctx); err != nil {
		return err
	}
	defer s.cluster.Stop()
	return s.serve(ctx)
}

func (s *supervisor) start(ctx context.Context) (err error) {
	say("starting the control plane")
	s.cluster, err = controlplane.Start(ctx, controlplane.Options{
		Dir:         string(s.dir),
		Controllers: []string{"*"},
		NodeAddress: netip.MustParseAddr(Address),
		// With leader election, a leader ends when the API server is away, and the next
		// leader gives each node a new term. Our only one keeps running, and would declare
		// the node dead when the API server returns.
		ControllerManagerArgs: []string{"--node-monitor-grace-period=5m"},
	})
	if err != nil {
		return err
	}
	kubeconfig, err := s.cluster.Kubeconfig(s.cluster.Admin())
	if err != nil {
		return err
	}
	if err := os.Rename(kubeconfig, s.dir.Kubeconfig()); err != nil {
		return err
	}
	if s.parts, err = s.dir.parts(s.dir.Kubeconfig()); err != nil {
		return err
	}
	for _, p := range s.parts {
		say("starting " + p.name)
		if s.running[p.name], err = s.dir.startPart(ctx, p, s.binaries[p.name]); err != nil {
			return err
		}
	}
	return nil
}

// say writes progress to the node's log.
func say(what string) { fmt.Println("node: " + what) }

// stopPart ends a part as an upgrade would, or kills it as a crash would.
func (s *supervisor) stopPart(name string, kill bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case name == apiServer && kill:
		s.cluster.KillAPIServer()
		return nil
	case name == apiServer:
		return s.cluster.StopAPIServer()
	case s.running[name] == nil:
		return s.unknown(name)
	case kill:
		s.running[name].Kill()
		return nil
	default:
		return s.running[name].Stop()
	}
}

// startPart starts a part, after killing it if it runs, and waits until it is
// ready.
func (s *supervisor) startPart(ctx context.Context, name string) (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == apiServer {
		return s.cluster.RestartAPIServer(ctx)
	}
	for _, p := range s.parts {
		if p.name == name {
			s.running[name].Kill()
			s.running[name], err = s.dir.startPart(ctx, p, s.binaries[name])
			return err
		}
	}
	return s.unknown(name)
}

func (s *supervisor) unknown(name string) error {
	names := []string{apiServer}
	for _, p := range s.parts {
		names = append(names, p.name)
	}
	return fmt.Errorf("no part %q: expected one of %q", name, names)
}
