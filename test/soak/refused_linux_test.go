//go:build soak

package soak

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// readRefused returns how many packets of both families the kernel has dropped because a
// socket of this machine was full.
func readRefused(t *testing.T) int {
	t.Helper()
	over4, err4 := refusedOver4()
	over6, err6 := refusedOver6()
	if err := errors.Join(err4, err6); err != nil {
		t.Fatal(err)
	}
	return over4 + over6
}

const full = "RcvbufErrors"

// refusedOver4 reads the number for IPv4, from a line of names followed by a line of
// numbers.
func refusedOver4() (int, error) {
	const path = "/proc/self/net/snmp"
	lines, err := linesOf(path, "Udp:")
	if err != nil {
		return 0, err
	}
	if len(lines) != 2 || !slices.Contains(lines[0], full) {
		return 0, fmt.Errorf("%s has no %s of UDP", path, full)
	}
	return strconv.Atoi(lines[1][slices.Index(lines[0], full)])
}

// refusedOver6 reads the number for IPv6, from lines of a name and a number.
func refusedOver6() (int, error) {
	const path = "/proc/self/net/snmp6"
	lines, err := linesOf(path, "Udp6"+full)
	if err != nil {
		return 0, err
	}
	if len(lines) != 1 {
		return 0, fmt.Errorf("%s has no Udp6%s", path, full)
	}
	return strconv.Atoi(lines[0][1])
}

// linesOf returns the lines of a file that begin with a word, split into words.
func linesOf(path, word string) (lines [][]string, err error) {
	text, err := os.ReadFile(path)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == word {
			lines = append(lines, fields)
		}
	}
	return lines, err
}
