package socket

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/clusterdns/clusterdns/test/kit/await"
	"github.com/clusterdns/clusterdns/test/kit/namespace"
)

func open(t *testing.T, answer func(context.Context, []byte) []byte) *Listener {
	t.Helper()
	l, err := Listen(answer)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

func dial(t *testing.T) net.Conn {
	t.Helper()
	name, err := nameOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	c, err := net.Dial("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// A command finds the server, and gets its reply.
func TestAsk(t *testing.T) {
	if _, err := Ask(t.Context(), os.Getpid(), nil); err == nil {
		t.Error("a reply without a server")
	}
	l := open(t, func(_ context.Context, request []byte) []byte { return append([]byte("reply to "), request...) })
	for range 2 * maxConnections {
		reply, err := Ask(t.Context(), os.Getpid(), []byte("a question"))
		if err != nil || string(reply) != "reply to a question" {
			t.Errorf("%q, %v", reply, err)
		}
	}
	l.Close()
	if found, err := servers(); err != nil || len(found) > 0 && contains(found, os.Getpid()) {
		t.Errorf("after the end: %v, %v", found, err)
	}
}

func contains(list []int, n int) bool {
	for _, other := range list {
		if other == n {
			return true
		}
	}
	return false
}

// Questions and replies have a largest size.
func TestBoundedSizes(t *testing.T) {
	open(t, func(_ context.Context, request []byte) []byte { return make([]byte, maxReply+len(request)) })
	if reply, err := Ask(t.Context(), os.Getpid(), nil); err != nil || len(reply) != maxReply {
		t.Errorf("the longest reply: %d octets, %v", len(reply), err)
	}
	for name, request := range map[string][]byte{"a reply that is too long": {1}, "a question that is too long": make([]byte, maxRequest+1)} {
		if _, err := Ask(t.Context(), os.Getpid(), request); !errors.Is(err, errRefused) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A connection without a place is closed at once, and those that end give their places back.
func TestBoundedConnections(t *testing.T) {
	open(t, func(context.Context, []byte) []byte { return []byte("reply") })
	var held []net.Conn
	for range maxConnections {
		held = append(held, dial(t))
	}
	await.True(t, 30*time.Second, "all places are taken", func() bool {
		_, err := Ask(t.Context(), os.Getpid(), []byte("x"))
		return errors.Is(err, errRefused)
	})
	for _, c := range held {
		c.Close()
	}
	await.True(t, 30*time.Second, "a place is free", func() bool {
		reply, err := Ask(t.Context(), os.Getpid(), []byte("x"))
		return err == nil && string(reply) == "reply"
	})
}

// Whoever sends nothing is cut off.
func TestBoundedTime(t *testing.T) {
	open(t, func(context.Context, []byte) []byte { return []byte("reply") })
	c := dial(t)
	_ = c.SetReadDeadline(time.Now().Add(10 * readPatience))
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("%d octets, %v", n, err)
	}
}

// The end of a server does not wait for a question that takes long.
func TestCloseEndsQuestions(t *testing.T) {
	asked := make(chan struct{})
	l := open(t, func(ctx context.Context, _ []byte) []byte {
		close(asked)
		<-ctx.Done()
		return nil
	})
	go func() { _, _ = Ask(context.Background(), os.Getpid(), []byte("x")) }()
	<-asked
	l.Close()
}

// A process of another PID namespace has the number 0, even with the same user in the same network.
func TestTrusts(t *testing.T) {
	for _, tc := range []struct {
		name          string
		peer          unix.Ucred
		process, user int
		trusted       bool
	}{
		{"the same user", unix.Ucred{Pid: 7, Uid: 65532}, 0, 65532, true},
		{"root", unix.Ucred{Pid: 7}, 0, 65532, true},
		{"another user", unix.Ucred{Pid: 7, Uid: 1000}, 0, 65532, false},
		{"another user, asked by root's server", unix.Ucred{Pid: 7, Uid: 1000}, 0, 0, false},
		{"another PID namespace", unix.Ucred{Uid: 65532}, 0, 65532, false},
		{"root of another PID namespace", unix.Ucred{}, 0, 0, false},
		{"the server", unix.Ucred{Pid: 1, Uid: 65532}, 1, 65532, true},
		{"the server, for root's command", unix.Ucred{Pid: 1, Uid: 65532}, 1, 0, true},
		{"another process in the server's place", unix.Ucred{Pid: 9, Uid: 65532}, 1, 65532, false},
	} {
		if got := trusts(&tc.peer, tc.process, tc.user); got != tc.trusted {
			t.Errorf("%s: %t", tc.name, got)
		}
	}
}

// Where nobody can look for servers, there is none, and the command asks the cluster.
func TestChooseOnOtherSystems(t *testing.T) {
	if _, err := choose(0, func() ([]int, error) { return nil, errSystem }); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
}

// Where several servers run, one must be named.
func TestChoose(t *testing.T) {
	open(t, func(context.Context, []byte) []byte { return nil })
	name, err := nameOf(1<<22 + 1)
	if err != nil {
		t.Fatal(err)
	}
	other, err := net.Listen("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := Ask(t.Context(), 0, nil); err == nil || !strings.Contains(err.Error(), "-server") {
		t.Errorf("two servers: %v", err)
	}
	if _, err := Ask(t.Context(), 1<<22+1, nil); !errors.Is(err, errForeign) {
		t.Errorf("a server that is not the process in its name: %v", err)
	}
	if _, err := Ask(t.Context(), 1<<22+2, nil); err == nil || bytes.Contains([]byte(err.Error()), []byte("several")) {
		t.Errorf("no such server: %v", err)
	}
}

// serveVariable makes the process that TestOtherNamespace starts a server.
const serveVariable = "CLUSTERDNS_TEST_SERVE"

// A process of another PID namespace gets nothing, with the same user and the same network, as another Pod has
// with hostNetwork.
func TestOtherNamespace(t *testing.T) {
	if os.Getenv(serveVariable) != "" {
		serve(t)
		return
	}
	for _, tc := range []struct {
		flags uintptr
		want  string
	}{{0, "reply"}, {unix.CLONE_NEWPID, ""}} {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestOtherNamespace$")
		cmd.Env = append(os.Environ(), serveVariable+"=yes")
		cmd.SysProcAttr = namespace.Attributes(tc.flags)
		end, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		name, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if got := askAt(t, strings.TrimSpace(name)); got != tc.want {
			t.Errorf("flags %#x: the reply is %q, want %q", tc.flags, got, tc.want)
		}
		end.Close()
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// serve listens, and says where, until the standard input ends.
func serve(t *testing.T) {
	open(t, func(context.Context, []byte) []byte { return []byte("reply") })
	name, err := nameOf(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	fmt.Println(name)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

func askAt(t *testing.T, name string) string {
	t.Helper()
	c, err := net.Dial("unix", name)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte("x"))
	_ = c.(*net.UnixConn).CloseWrite()
	reply, _ := io.ReadAll(c)
	return string(reply)
}
