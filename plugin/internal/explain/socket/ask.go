package socket

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Ask asks the server with a process number, or the only one if it is 0.
func Ask(ctx context.Context, process int, request []byte) ([]byte, error) {
	process, err := choose(process, servers)
	if err != nil {
		return nil, err
	}
	name, err := nameOf(process)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience+2*readPatience)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "unix", name)
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", process, err)
	}
	defer c.Close()
	if !trusted(c, process) {
		return nil, fmt.Errorf("process %d: %w", process, errForeign)
	}
	deadline, _ := ctx.Deadline()
	_ = c.SetDeadline(deadline)
	return exchange(c.(*net.UnixConn), request)
}

func exchange(c *net.UnixConn, request []byte) ([]byte, error) {
	_, err := c.Write(request)
	if err == nil {
		err = c.CloseWrite()
	}
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", errRefused, err)
	}
	reply, err := io.ReadAll(io.LimitReader(c, maxReply+1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, fmt.Errorf("no reply of the server within %v", patience)
	case len(reply) > maxReply:
		return nil, fmt.Errorf("the reply of the server has more than %d octets", maxReply)
	case err != nil || len(reply) == 0:
		return nil, errRefused
	}
	return reply, nil
}

// choose returns the process number of the server that is asked. Where nobody can look for servers, as on systems
// other than Linux, there is none.
func choose(process int, servers func() ([]int, error)) (int, error) {
	found, err := servers()
	switch {
	case err != nil:
		return 0, fmt.Errorf("%w (%w)", ErrNone, err)
	case len(found) == 0:
		return 0, ErrNone
	case process == 0 && len(found) == 1:
		return found[0], nil
	case process == 0:
		return 0, fmt.Errorf("several servers run here: expected -server with one of %v", found)
	case !slices.Contains(found, process):
		return 0, fmt.Errorf("no server with the process number %d answers commands: expected one of %v", process, found)
	}
	return process, nil
}

// servers returns the process numbers of the servers of this PID namespace that listen.
func servers() (found []int, err error) {
	name, err := nameOf(0)
	if err != nil {
		return nil, err
	}
	begin := strings.TrimSuffix(name, "0")
	f, err := os.Open("/proc/net/unix")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		number, ok := strings.CutPrefix(words[len(words)-1], begin)
		if p, err := strconv.Atoi(number); ok && err == nil && !slices.Contains(found, p) {
			found = append(found, p)
		}
	}
	slices.Sort(found)
	return found, nil
}

// nameOf returns the name of the socket of a process of this PID namespace.
func nameOf(process int) (string, error) {
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return "", errSystem
	}
	return prefix + namespace + "/" + strconv.Itoa(process), nil
}
