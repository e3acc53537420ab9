package main

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

// memory is what /proc/PID/status says of a process, in bytes.
type memory struct {
	rss       float64
	anonymous float64 // of rss: all but mapped files
	peak      float64 // of rss
}

func readMemory(pid int) (memory, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, err
	}
	return parseMemory(data)
}

func parseMemory(status []byte) (m memory, err error) {
	for field, to := range map[string]*float64{"VmRSS": &m.rss, "RssAnon": &m.anonymous, "VmHWM": &m.peak} {
		value, ok := fieldValue(status, field)
		kilobytes, unitOK := strings.CutSuffix(value, " kB")
		n, err := strconv.ParseFloat(kilobytes, 64)
		if !ok || !unitOK || err != nil {
			return memory{}, fmt.Errorf("no %s in kB in a process's status", field)
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

// resetPeak makes the peak of the RSS begin anew.
func resetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}

// cpuTime is what all threads of a process have had, and have waited for, of
// the CPUs. Threads that have ended are missing; Go keeps nearly all of its.
type cpuTime struct{ used, waited time.Duration }

func (c cpuTime) since(before cpuTime) cpuTime {
	return cpuTime{used: c.used - before.used, waited: c.waited - before.waited}
}

func readCPU(pid int) (cpuTime, error) {
	var sum cpuTime
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
		sum.used += thread.used
		sum.waited += thread.waited
	}
	if len(paths) == 0 {
		return sum, fmt.Errorf("process %d has no threads", pid)
	}
	return sum, nil
}

// parseSchedstat reads "ran waited timeslices", the first two in nanoseconds.
func parseSchedstat(line string) (cpuTime, error) {
	var used, waited, slices int64
	if _, err := fmt.Sscan(line, &used, &waited, &slices); err != nil {
		return cpuTime{}, fmt.Errorf("schedstat %q: %w", strings.TrimSpace(line), err)
	}
	return cpuTime{used: time.Duration(used), waited: time.Duration(waited)}, nil
}

// readBytes is what a process has read by read(2), from sockets as well.
func readBytes(pid int) (float64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return 0, err
	}
	value, _ := fieldValue(data, "rchar")
	return strconv.ParseFloat(value, 64)
}
