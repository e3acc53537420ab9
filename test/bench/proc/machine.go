package proc

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
)

// Machine describes this machine.
func Machine() string {
	text := fmt.Sprintf("%d cores", runtime.NumCPU())
	if cpus, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if model, ok := fieldValue(cpus, "model name"); ok {
			text += " (" + model + ")"
		}
	}
	if kernel, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		text += ", Linux " + strings.TrimSpace(string(kernel))
	}
	return text + ", " + runtime.Version()
}

// Load is how busy the whole machine is.
type Load struct {
	average       string  // average of the last minute
	total, stolen float64 // CPU time since boot; stolen by the machine's host
}

// ReadLoad returns the load so far.
func ReadLoad() Load {
	var l Load
	if data, err := os.ReadFile("/proc/loadavg"); err == nil {
		l.average, _, _ = strings.Cut(string(data), " ")
	}
	if data, err := os.ReadFile("/proc/stat"); err == nil {
		l.total, l.stolen = parseStat(string(data))
	}
	return l
}

// parseStat parses the first line: "cpu", then user, nice, system, idle, iowait, irq,
// softirq, steal, and two that are part of user and nice.
func parseStat(stat string) (total, stolen float64) {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	for i := 1; i < min(len(fields), 9); i++ {
		value, _ := strconv.ParseFloat(fields[i], 64)
		total += value
		if i == 8 {
			stolen = value
		}
	}
	return total, stolen
}

// Since describes the load since an earlier moment.
func (l Load) Since(before Load) string {
	text := fmt.Sprintf("load average %s before, %s after", before.average, l.average)
	if l.total > before.total {
		text += fmt.Sprintf(", %.1f %% of the CPU time stolen", 100*(l.stolen-before.stolen)/(l.total-before.total))
	}
	return text
}
