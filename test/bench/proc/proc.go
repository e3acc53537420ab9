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

// Memory is what /proc/PID/status says of a process, in bytes.
type Memory struct {
	RSS       float64
	Anonymous float64 // of RSS: all but mapped files
	Peak      float64 // of rss
}

// ReadMemory reads it.
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

// fieldValue is what follows "name:" on a line of its own.
func fieldValue(data []byte, name string) (value string, ok bool) {
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value), true
		}
	}
	return "", false
}

// ResetPeak makes the peak of the RSS begin anew.
func ResetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// CPUTime is what all threads of a process have had, and have waited for, of
// the CPUs. Threads that have ended are missing; Go keeps nearly all of its.
type CPUTime struct{ Used, Waited time.Duration }

// Since is what has come to it since.
func (c CPUTime) Since(before CPUTime) CPUTime {
	return CPUTime{Used: c.Used - before.Used, Waited: c.Waited - before.Waited}
}

// ReadCPU adds up the threads.
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

// parseSchedstat reads "ran waited timeslices", the first two in nanoseconds.
func parseSchedstat(line string) (CPUTime, error) {
	var used, waited, slices int64
	if _, err := fmt.Sscan(line, &used, &waited, &slices); err != nil {
		return CPUTime{}, fmt.Errorf("schedstat %q: %w", strings.TrimSpace(line), err)
	}
	return CPUTime{Used: time.Duration(used), Waited: time.Duration(waited)}, nil
}

// ReadBytes is what a process has read by read(2), from sockets as well.
func ReadBytes(pid int) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, err
	}
	value, _ := fieldValue(data, "rchar")
	return strconv.ParseFloat(value, 64)
}
