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

// supervisor runs the parts of a node and, on the first one, the control plane and the
// further nodes.
type supervisor struct {
	machine
	binaries map[string]string
	ordered  []part

	cluster *controlplane.Cluster // nil on further nodes
	join    JoinCommand
	further []furtherNode

	mu      sync.Mutex // guards the fields below
	running map[string]*process.Process
}

// Supervise starts everything on the first node, then serves a Control until the context
// ends. upstream is the binary of a CoreDNS, for the DNS of the outside world. All processes
// that it starts end with this one.
func Supervise(ctx context.Context, d Dir, settings Settings, upstream string, join JoinCommand) error {
	s := &supervisor{
		machine: machine{dir: d, number: 1, settings: settings},
		join:    join, running: map[string]*process.Process{},
	}
	if err := s.findBinaries(ctx); err != nil {
		return err
	}
	s.binaries["upstream"] = upstream
	if err := s.start(ctx); err != nil {
		return err
	}
	defer s.cluster.Stop()
	return s.serve(ctx)
}

func (s *supervisor) start(ctx context.Context) error {
	say("starting the control plane")
	if err := s.startCluster(ctx); err != nil {
		return err
	}
	// A further node takes over the mounts of this one, which must not be those of
	// containers.
	for _, other := range s.others() {
		say("starting " + other.name())
		if err := s.addNode(other.number); err != nil {
			return err
		}
	}
	if err := s.startParts(ctx); err != nil {
		return err
	}
	for _, node := range s.further {
		say("waiting for " + node.name)
		if err := node.AwaitReady(ctx, node.control.Ready); err != nil {
			return err
		}
	}
	return nil
}

func (s *supervisor) startCluster(ctx context.Context) (err error) {
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
	return os.Rename(kubeconfig, s.dir.Kubeconfig())
}

func (s *supervisor) startParts(ctx context.Context) (err error) {
	if s.ordered, err = s.parts(); err != nil {
		return err
	}
	for _, p := range s.ordered {
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
	case s.cluster != nil && name == apiServer && kill:
		s.cluster.KillAPIServer()
		return nil
	case s.cluster != nil && name == apiServer:
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
	if s.cluster != nil && name == apiServer {
		return s.cluster.RestartAPIServer(ctx)
	}
	for _, p := range s.ordered {
		if p.name == name {
			s.running[name].Kill()
			s.running[name], err = s.dir.startPart(ctx, p, s.binaries[name])
			return err
		}
	}
	return s.unknown(name)
}

func (s *supervisor) unknown(name string) error {
	var names []string
	if s.cluster != nil {
		names = append(names, apiServer)
	}
	for _, p := range s.ordered {
		names = append(names, p.name)
	}
	return fmt.Errorf("no part %q: expected one of %q", name, names)
}
