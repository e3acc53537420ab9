package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// ReadDrops returns how many datagrams to a UDP port of this machine the kernel has dropped
// because the socket's buffer was full. The count ends with the socket.
func ReadDrops(port int) (int, error) {
	sum := 0
	for _, path := range []string{"/proc/net/udp", "/proc/net/udp6"} {
		data, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		drops, err := parseDrops(string(data), port)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", path, err)
		}
		sum += drops
	}
	return sum, nil
}

// parseDrops parses lines whose second field is "ADDRESS:PORT" in hexadecimal and whose
// last field is the count. The first line has the names of the fields.
func parseDrops(table string, port int) (int, error) {
	suffix, sum := fmt.Sprintf(":%04X", port), 0
	for line := range strings.Lines(table) {
		fields := strings.Fields(line)
		if len(fields) < 13 || !strings.HasSuffix(fields[1], suffix) {
			continue
		}
		drops, err := strconv.Atoi(fields[len(fields)-1])
		if err != nil {
			return 0, err
		}
		sum += drops
	}
	return sum, nil
}
