package node

import "fmt"

const (
	// Name is the name under which kubelet registers the first node.
	Name = "node-1"
	// Address is the address of the first node, and of the upstream server that the
	// cluster's DNS forwards to.
	Address = "172.30.0.2"

	// podRanges have the addresses of all Pods. Each node has a part of each.
	podRangeV4, podRangeV6 = "10.244.0.0/16", "fd00:10:244::/48"
)

// machine is one node. The first one has the control plane too.
type machine struct {
	dir      Dir
	number   int // from 1
	settings Settings
}

func (m machine) isFirst() bool     { return m.number == 1 }
func (m machine) name() string      { return NameOf(m.number) }
func (m machine) address() string   { return AddressOf(m.number) }
func (m machine) addressV6() string { return fmt.Sprintf("fd00:172:30::%x", m.number+1) }

// podRange returns the addresses of the node's Pods.
func (m machine) podRange() (v4, v6 string) {
	return fmt.Sprintf("10.244.%d.0/24", m.number-1), fmt.Sprintf("fd00:10:244:%x::/64", m.number-1)
}

// others returns the other nodes.
func (m machine) others() (others []machine) {
	for number := range m.settings.Nodes {
		if number+1 != m.number {
			others = append(others, machine{number: number + 1, settings: m.settings})
		}
	}
	return others
}

// NameOf returns the name under which kubelet registers a node. Nodes count from 1.
func NameOf(number int) string { return fmt.Sprintf("node-%d", number) }

// AddressOf returns the address of a node.
func AddressOf(number int) string { return fmt.Sprintf("172.30.0.%d", number+1) }
