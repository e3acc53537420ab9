package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/process"
)

// JoinCommand makes the command of a further node's process, which calls Join.
type JoinCommand func(number int) *exec.Cmd

// cableTimeout is how long a further node waits for its device.
const cableTimeout = 30 * time.Second

// addNode starts the process of a further node, in namespaces of its own but those of
// processes and cgroups, and gives it the end of the cable.
func (s *supervisor) addNode(number int) error {
	d := s.dir.Of(number)
	if err := os.MkdirAll(string(d), 0o755); err != nil {
		return err
	}
	if err := s.writeKubeconfig(d.Kubeconfig()); err != nil {
		return err
	}
	cmd := s.join(number)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC}
	started, err := process.StartCommand(cmd, d.Log("node"))
	if err != nil {
		return err
	}
	s.further = append(s.further, furtherNode{started, NameOf(number), NewControl(d)})
	if _, err := d.write(filepath.Base(d.PIDFile()), strconv.Itoa(started.ID())); err != nil {
		return err
	}
	end, err := netlink.LinkByName(cable)
	if err != nil {
		return err
	}
	return netlink.LinkSetNsPid(end, started.ID())
}

// writeKubeconfig writes a copy of the first node's kubeconfig that has the address of that
// node. The certificate is for other names.
func (s *supervisor) writeKubeconfig(file string) error {
	config, err := clientcmd.LoadFromFile(s.dir.Kubeconfig())
	if err != nil {
		return err
	}
	for _, cluster := range config.Clusters {
		cluster.Server, cluster.TLSServerName = strings.Replace(cluster.Server, "127.0.0.1", Address, 1), "kubernetes"
	}
	return clientcmd.WriteToFile(*config, file)
}

// furtherNode is a node beside the first one.
type furtherNode struct {
	*process.Process
	name    string
	control *Control
}

// Join does the work of a further node's process: it prepares the namespaces, starts the
// parts, and serves a Control until the context ends.
func Join(ctx context.Context, d Dir, number int, settings Settings) error {
	m := machine{dir: d.Of(number), number: number, settings: settings}
	for _, step := range []func() error{
		m.dir.coverFiles,
		func() error { return takeCable(ctx) },
		m.configureNetwork,
		func() error { return syscall.Sethostname([]byte(m.name())) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("preparing %s: %w", m.name(), err)
		}
	}
	s := &supervisor{machine: m, running: map[string]*process.Process{}}
	if err := s.findBinaries(ctx); err != nil {
		return err
	}
	if err := s.startParts(ctx); err != nil {
		return err
	}
	return s.serve(ctx)
}

// takeCable waits for the end of the cable and makes it the node's device.
func takeCable(ctx context.Context) error {
	var end netlink.Link
	poll := func(context.Context) (found bool, err error) {
		end, err = netlink.LinkByName(cable)
		return err == nil, nil
	}
	if err := wait.PollUntilContextTimeout(ctx, 10*time.Millisecond, cableTimeout, true, poll); err != nil {
		return fmt.Errorf("waiting for the cable: %w", err)
	}
	return netlink.LinkSetName(end, device)
}

// findBinaries finds the commands of the parts, and makes containerd find its shim.
func (s *supervisor) findBinaries(ctx context.Context) (err error) {
	if s.binaries, err = controlplane.Build(ctx, Commands()...); err != nil {
		return err
	}
	return findByPath(s.binaries["containerd-shim-runc-v2"])
}
