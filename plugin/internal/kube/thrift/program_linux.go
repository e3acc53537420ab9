package thrift

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mapping is a part of the address space, from its first address up to its end.
type mapping struct{ begin, end uintptr }

// unmapProgram takes the pages of the program's file out of the resident memory. A start needs
// most of them, and most of those never again. What is used later is mapped anew, from the page cache.
func unmapProgram() {
	smaps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer smaps.Close()
	for _, m := range unchanged(smaps) {
		// Pages that are locked stay, and the call fails.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.begin, m.end-m.begin, unix.MADV_DONTNEED)
	}
}

// unchanged returns the mappings of a text as in /proc/self/smaps that are as they are in their file. From the
// others something written would be lost, such as variables, or the breakpoints of a debugger.
func unchanged(smaps io.Reader) (all []mapping) {
	var head []string // addresses, permissions, offset, device, inode, path
	for lines := bufio.NewScanner(smaps); lines.Scan(); {
		switch fields := strings.Fields(lines.Text()); {
		case len(fields) < 2:
		case !strings.HasSuffix(fields[0], ":"):
			head = fields
		case fields[0] == "Anonymous:" && fields[1] == "0" && isReadOnlyFile(head):
			all = append(all, parseMapping(head[0]))
		}
	}
	return all
}

func isReadOnlyFile(head []string) bool {
	return len(head) >= 6 && head[1][1] == '-' && head[5][0] == '/'
}

func parseMapping(addresses string) mapping {
	begin, end, _ := strings.Cut(addresses, "-")
	return mapping{parseAddress(begin), parseAddress(end)}
}

func parseAddress(hex string) uintptr {
	n, _ := strconv.ParseUint(hex, 16, 64) // the kernel writes no other
	return uintptr(n)
}
