// Package dnsperf runs DNS-OARC's dnsperf and reads what it reports. It is the
// closed loop of the measurements: it keeps a number of questions outstanding
// and sends the next when an answer comes.
package dnsperf

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	// clients is the number of sockets. A kernel that spreads questions over the
	// sockets of a server does so by the client's address and port.
	clients = 16
	// outstanding is dnsperf's own default.
	outstanding = 100
	// answerTimeout is when a question counts as lost.
	answerTimeout = 2
)

// Load is what is to be sent.
type Load struct {
	Server string // "127.0.0.1:53"
	File   string // with the questions
	Mode   string // "udp", "tcp" or "dot"
	Time   time.Duration
	Rate   int  // questions per second at most; 0 for as many as are answered
	Once   bool // each question of the file once, however long it takes
}

// Result is what came of it.
type Result struct {
	Sent, Completed, Lost int
	Rate                  float64        // answers per second
	Rcodes                map[string]int // answers by response code
}

// Run sends the load. It takes a little longer than Load.Time.
func Run(ctx context.Context, l Load) (Result, error) {
	args, err := l.args()
	if err != nil {
		return Result{}, err
	}
	cmd := exec.CommandContext(ctx, "dnsperf", args...)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w\n%s", cmd, err, complaints.Bytes())
	}
	result, err := parse(string(out))
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w\n%s", cmd, err, out)
	}
	return result, nil
}

func (l Load) args() ([]string, error) {
	host, port, ok := strings.Cut(l.Server, ":")
	if !ok {
		return nil, fmt.Errorf("server %q is not an IPv4 address and a port", l.Server)
	}
	args := []string{
		"-s", host, "-p", port, "-d", l.File, "-m", l.Mode, "-e",
		"-c", strconv.Itoa(clients), "-q", strconv.Itoa(outstanding), "-t", strconv.Itoa(answerTimeout),
	}
	if l.Once {
		args = append(args, "-n", "1")
	} else {
		args = append(args, "-l", strconv.Itoa(int(l.Time.Seconds())))
	}
	if l.Rate > 0 {
		args = append(args, "-Q", strconv.Itoa(l.Rate))
	}
	return args, nil
}
