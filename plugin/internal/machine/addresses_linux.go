package machine

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// Addresses returns the machine's addresses, without link-local ones, which clients cannot
// use without naming an interface.
func Addresses() ([]netip.Addr, error) {
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var list []netip.Addr
	for _, a := range interfaces {
		p, err := netip.ParsePrefix(a.String())
		if err == nil && !p.Addr().IsLinkLocalUnicast() {
			list = append(list, p.Addr().Unmap())
		}
	}
	return list, nil
}

// BoundElsewhere returns the addresses at which another program has a UDP socket on the
// port. A socket of ours beside it would take packets away from it.
func BoundElsewhere(port uint16, ours map[uint64]bool) (map[netip.Addr]bool, error) {
	taken := map[netip.Addr]bool{}
	for _, name := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		if err := readBound(name, port, ours, taken); err != nil && !os.IsNotExist(err) {
			return nil, err
		}
	}
	return taken, nil
}

func readBound(name string, port uint16, ours map[uint64]bool, taken map[netip.Addr]bool) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	suffix := fmt.Appendf(nil, ":%04X", port)
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if !bytes.Contains(lines.Bytes(), suffix) {
			continue // a machine may have ten thousand sockets, and most lines end here
		}
		s, err := parseSocket(lines.Text())
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if s.local.Port() == port && !s.local.Addr().IsUnspecified() && s.takesAll && !ours[s.inode] {
			taken[s.local.Addr().Unmap()] = true
		}
	}
	return lines.Err()
}

// listedSocket is a socket in the kernel's list.
type listedSocket struct {
	local    netip.AddrPort
	takesAll bool // receives from all senders, not only from one
	inode    uint64
}

// parseSocket parses a line of the kernel's list (proc_net_udp(5)).
func parseSocket(line string) (listedSocket, error) {
	const local, remote, inode = 1, 2, 9
	fields := strings.Fields(line)
	if len(fields) <= inode {
		return listedSocket{}, fmt.Errorf("%q is not the line of a socket", line)
	}
	var s listedSocket
	var err error
	if s.local, err = parseBound(fields[local]); err != nil {
		return s, err
	}
	s.takesAll = strings.Trim(fields[remote], "0:") == ""
	s.inode, err = strconv.ParseUint(fields[inode], 10, 64)
	return s, err
}

// parseBound parses an address as the kernel writes it: 32-bit words in the machine's byte
// order, and the port.
func parseBound(text string) (netip.AddrPort, error) {
	address, port, _ := strings.Cut(text, ":")
	raw, err := hex.DecodeString(address)
	if err != nil {
		return netip.AddrPort{}, err
	}
	for i := 0; i+4 <= len(raw); i += 4 {
		word := binary.NativeEndian.Uint32(raw[i:])
		binary.BigEndian.PutUint32(raw[i:], word)
	}
	a, ok := netip.AddrFromSlice(raw)
	number, err := strconv.ParseUint(port, 16, 16)
	if !ok || err != nil {
		return netip.AddrPort{}, fmt.Errorf("%q is not an address with a port", text)
	}
	return netip.AddrPortFrom(a, uint16(number)), nil
}
