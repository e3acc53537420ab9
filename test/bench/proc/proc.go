package proc

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Memory is the memory of a process by /proc/PID/status, in bytes.
type Memory struct {
	RSS       float64
	Anonymous float64 // of RSS: all but mapped files
	Peak      float64 // of rss
}

// ReadMemory returns the memory of a process.
func ReadMemory(pid int) (Memory, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Memory{}, err
	}
	return parseMemory(data)
}

func parseMemory(status []byte) (m Memory, err error) {
	for field, to := range map[string]*float64{"VmRSS": &m.RSS, "RssAnon": &m.Anonymous, "VmHWM": &m.Peak} {
		value, ok := fieldValue(status, field)
		kilobytes, unitOK := strings.CutSuffix(value, " kB")
		n, err := strconv.ParseFloat(kilobytes, 64)
		if !ok || !unitOK || err != nil {
			return Memory{}, fmt.Errorf("no %s in kB in a process's status", field)
		}
		*to = n * 1024
	}
	return m, nil
}

// fieldValue returns the text after "name:" on a line of its own.
func fieldValue(data []byte, name string) (value string, ok bool) {
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// ResetPeak resets the peak of the RSS.
func ResetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// CPUTime is how long all threads of a process have used CPUs and waited for them. Ended
// threads are missing; Go ends hardly any.
type CPUTime struct{ Used, Waited time.Duration }

// Since returns the difference to an earlier time.
func (c CPUTime) Since(before CPUTime) CPUTime {
	return CPUTime{Used: c.Used - before.Used, Waited: c.Waited - before.Waited}
}

// ReadCPU returns the sum over the threads of a process.
func ReadCPU(pid int) (CPUTime, error) {
	var sum CPUTime
	paths, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil {
		return sum, err
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) { // the thread has just ended
			continue
		}
		if err != nil {
			return sum, err
		}
		thread, err := parseSchedstat(string(data))
		if err != nil {
			return sum, err
		}
		sum.Used += thread.Used
		sum.Waited += thread.Waited
	}
	if len(paths) == 0 {
		return sum, fmt.Errorf("process %d has no threads", pid)
	}
	return sum, nil
}

// parseSchedstat parses "ran waited timeslices"; the first two are in nanoseconds.
func parseSchedstat(line string) (CPUTime, error) {
	var used, waited, slices int64
	if _, err := fmt.Sscan(line, &used, &waited, &slices); err != nil {
		return CPUTime{}, fmt.Errorf("schedstat %q: %w", strings.TrimSpace(line), err)
	}
	return CPUTime{Used: time.Duration(used), Waited: time.Duration(waited)}, nil
}

// ReadBytes returns how many bytes a process has read by read(2), also from sockets.
func ReadBytes(pid int) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, err
	}
	value, _ := fieldValue(data, "rchar")
	return strconv.ParseFloat(value, 64)
}
