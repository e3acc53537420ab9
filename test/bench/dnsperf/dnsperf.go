// Package dnsperf runs DNS-OARC's dnsperf and parses its report. It is the closed loop of
// the measurements: it keeps a number of questions outstanding and sends the next one when
// an answer arrives.
package dnsperf

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	// Clients is the number of sockets. A kernel that spreads questions over the sockets of
	// a server does so by the client's address and port.
	Clients = 16
	// outstanding is dnsperf's default number of questions that wait for an answer.
	outstanding = 100
	// answerTimeout is the number of seconds after which a question counts as lost.
	answerTimeout = 2
)

// Load is a load to send.
type Load struct {
	Server string // "127.0.0.1:53"
	File   string // path of the file with the questions
	Mode   string // "udp", "tcp", "dot" or "doh"
	Time   time.Duration
	Rate   int  // largest number of questions per second; 0 for as many as are answered
	Once   bool // send each question of the file once, however long it takes

	Outstanding   int // questions that wait for an answer, on all sockets together; 0 for dnsperf's default
	PerConnection int // questions on a connection before the next one is opened; 0 for all
}

// Result is the result of a load.
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
		"-c", strconv.Itoa(Clients), "-q", strconv.Itoa(cmp.Or(l.Outstanding, outstanding)), "-t", strconv.Itoa(answerTimeout),
	}
	if l.Once {
		args = append(args, "-n", "1")
	} else {
		args = append(args, "-l", strconv.Itoa(int(l.Time.Seconds())))
	}
	if l.PerConnection > 0 {
		args = append(args, "-O", "num-queries-per-conn="+strconv.Itoa(l.PerConnection))
	}
	if l.Mode == "doh" {
		args = append(args, "-O", "doh-uri=https://"+l.Server+"/dns-query", "-O", "doh-method=POST")
	}
	if l.Rate > 0 {
		args = append(args, "-Q", strconv.Itoa(l.Rate))
	}
	return args, nil
}
