package lab

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/clusterdns/clusterdns/test/lab/node"
)

// Node is a node of a running lab.
type Node struct {
	Name    string
	Address string
	dir     node.Dir
	process string // folder of a process of the node in a file system like /proc
}

// Nodes returns the nodes in order: the first one has the control plane.
func (l *Lab) Nodes() []*Node { return l.nodes }

// findNodes finds the nodes by the files that their processes have written.
func (l *Lab) findNodes() error {
	first := filepath.Join("/proc", strconv.Itoa(l.pid))
	l.nodes = []*Node{{Name: node.Name, Address: node.Address, dir: l.dir, process: first}}
	for number := 2; ; number++ {
		dir := l.dir.Of(number)
		pid, err := os.ReadFile(dir.PIDFile())
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		process := filepath.Join(first, "root", "proc", strings.TrimSpace(string(pid)))
		l.nodes = append(l.nodes, &Node{Name: node.NameOf(number), Address: node.AddressOf(number), dir: dir, process: process})
	}
}

// Dial connects from the node. The address must be numeric.
func (n *Node) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	return dialIn(ctx, n.network(), network, address)
}

// Within runs act in the node's network namespace. Sockets and processes that it makes stay
// there.
func (n *Node) Within(act func() error) error { return within(n.network(), act) }

// Control returns a Control that stops and starts the parts of the node.
func (n *Node) Control() *node.Control { return node.NewControl(n.dir) }

// Log returns the path of the log of a part of the node, such as "kubelet".
func (n *Node) Log(part string) string { return n.dir.Log(part) }

// network returns the path of the node's network namespace.
func (n *Node) network() string { return filepath.Join(n.process, "ns", "net") }

// HostPath returns the path, from outside, of a file in the node's mount namespace.
func (n *Node) HostPath(path string) string { return filepath.Join(n.process, "root", path) }
