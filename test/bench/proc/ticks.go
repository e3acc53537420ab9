package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of /proc/PID/stat: USER_HZ is 100 on every architecture that
// Go knows.
const tick = 10 * time.Millisecond

// ReadTicks returns the CPU time of a process, with its ended threads and all descendants,
// from /proc/PID/stat. The sum of the two fields is exact to a tick, unlike each of them
// alone.
func ReadTicks(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	sum, err := parseTicks(string(data))
	if err != nil {
		return 0, err
	}
	children, err := readChildren(pid)
	if err != nil {
		return 0, err
	}
	for _, child := range children {
		used, err := ReadTicks(child)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// parseTicks adds utime and stime, the 14th and 15th field. The second field is the
// command's name in brackets and may have any characters.
func parseTicks(stat string) (time.Duration, error) {
	end := strings.LastIndex(stat, ")")
	fields := strings.Fields(stat[end+1:])
	if end < 0 || len(fields) < 13 {
		return 0, errors.New("no CPU time in a process's stat")
	}
	user, err := strconv.ParseInt(fields[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * tick, err
}

func readChildren(pid int) ([]int, error) {
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return nil, err
	}
	var children []int
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if errors.Is(err, os.ErrNotExist) { // the thread has just ended
			continue
		}
		if err != nil {
			return nil, err
		}
		for field := range strings.FieldsSeq(string(data)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				return nil, err
			}
			children = append(children, child)
		}
	}
	return children, nil
}
