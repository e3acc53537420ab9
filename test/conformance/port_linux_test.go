package conformance

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/clusterdns/clusterdns/test/netlab"
)

// The states in /proc/net of sockets that wait for a client: TCP_LISTEN, and TCP_CLOSE for
// a UDP socket without a peer.
var waiting = map[string]string{"tcp": "0A", "udp": "07"}

var serverPort = regexp.MustCompile(`^\.:(\d+) \{`)

// ports returns the ports of the Corefile's only server block, by network. Port 0 means
// that the kernel chooses one for each network.
func ports(p *netlab.Process, corefile string) (map[string]uint16, error) {
	match := serverPort.FindStringSubmatch(corefile)
	if match == nil {
		return nil, fmt.Errorf("no port in the Corefile:\n%s", corefile)
	}
	port, err := strconv.ParseUint(match[1], 10, 16)
	if err != nil || port != 0 {
		return map[string]uint16{"udp": uint16(port), "tcp": uint16(port)}, err
	}
	ports := map[string]uint16{}
	for network := range waiting {
		if ports[network], err = openPort(p, network); err != nil {
			return nil, err
		}
	}
	return ports, nil
}

// openPort returns the only port at which the process waits for clients.
func openPort(p *netlab.Process, network string) (uint16, error) {
	own, err := socketInodes(p)
	if err != nil {
		return 0, err
	}
	found := map[uint16]bool{}
	for _, file := range []string{network, network + "6"} {
		table, err := os.ReadFile("/proc/net/" + file)
		if err != nil {
			return 0, err
		}
		for line := range bytes.Lines(table) {
			if s, ok := parseSocket(string(line)); ok && s.state == waiting[network] && own[s.inode] {
				found[s.port] = true
			}
		}
	}
	for port := range found {
		if len(found) == 1 {
			return port, nil
		}
	}
	return 0, fmt.Errorf("the server has %d %s ports, want one", len(found), network)
}

type socket struct {
	port  uint16
	state string
	inode string
}

// parseSocket parses a line of proc_net_tcp(5): number, local address, remote address,
// state, four more fields, and the inode.
func parseSocket(line string) (socket, bool) {
	fields := strings.Fields(line)
	if len(fields) < 10 {
		return socket{}, false
	}
	_, hex, _ := strings.Cut(fields[1], ":")
	port, err := strconv.ParseUint(hex, 16, 16)
	return socket{port: uint16(port), state: fields[3], inode: fields[9]}, err == nil
}

// socketInodes returns the inodes of the sockets that the process has open.
func socketInodes(p *netlab.Process) (map[string]bool, error) {
	dir := fmt.Sprintf("/proc/%d/fd", p.ID())
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	inodes := map[string]bool{}
	for _, entry := range entries {
		target, err := os.Readlink(filepath.Join(dir, entry.Name()))
		if err != nil {
			continue // closed in the meantime
		}
		if inode, ok := strings.CutPrefix(target, "socket:["); ok {
			inodes[strings.TrimSuffix(inode, "]")] = true
		}
	}
	return inodes, nil
}
