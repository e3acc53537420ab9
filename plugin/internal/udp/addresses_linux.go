package udp

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// localAddresses are those of the machine that others can ask at without telling
// an interface.
func localAddresses() ([]netip.Addr, error) {
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

// boundElsewhere are the addresses at which a UDP socket is bound to the port, be it
// ours or another process's. To bind beside that of another would take packets
// away from it.
func boundElsewhere(port uint16) (map[netip.Addr]bool, error) {
	taken := map[netip.Addr]bool{}
	for _, name := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		if err := readBound(name, port, taken); err != nil && !os.IsNotExist(err) {
			return nil, err
		}
	}
	return taken, nil
}

func readBound(name string, port uint16, taken map[netip.Addr]bool) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Scan() // the heading
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 3 || !isUnconnected(fields[2]) {
			continue
		}
		bound, err := parseBound(fields[1])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if bound.Port() == port && !bound.Addr().IsUnspecified() {
			taken[bound.Addr().Unmap()] = true
		}
	}
	return lines.Err()
}

// isUnconnected reports whether a socket with this remote address takes packets of
// everybody.
func isUnconnected(remote string) bool { return strings.Trim(remote, "0:") == "" }

// parseBound reads an address as the kernel writes it: words in the byte order of
// the machine, and the port.
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
		return netip.AddrPort{}, fmt.Errorf("%q is no address with a port", text)
	}
	return netip.AddrPortFrom(a, uint16(number)), nil
}
