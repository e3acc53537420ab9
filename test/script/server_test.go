package script

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/miekg/dns"
	"github.com/rogpeppe/go-internal/testscript"
)

// server is the CoreDNS of a script, once it is started.
type server struct{ instance *caddy.Instance }

func (s *server) start(corefile caddy.Input) error {
	instance, err := caddy.Start(corefile)
	if err == nil {
		s.instance = instance
		awaitServing(instance)
	}
	return err
}

// awaitServing waits until each listener serves: CoreDNS cannot end one that has not
// begun to, and it would go on beside its successor. What it is asked comes to no
// plugin, and one with another protocol has no answer to it.
func awaitServing(i *caddy.Instance) {
	m := &dns.Msg{MsgHdr: dns.MsgHdr{Id: dns.Id(), Opcode: dns.OpcodeStatus}}
	for _, s := range i.Servers() {
		for network, addr := range map[string]net.Addr{"udp": s.LocalAddr(), "tcp": s.Addr()} {
			if addr != nil {
				_, _, _ = (&dns.Client{Net: network, Timeout: 5 * time.Second}).Exchange(m, addr.String())
			}
		}
	}
}

// reload does what a signal does to the command.
func (s *server) reload(corefile caddy.Input) error {
	instance, err := s.instance.Restart(corefile)
	s.instance = instance
	if err == nil {
		awaitServing(instance)
	}
	return err
}

func (s *server) stop() {
	if s.instance == nil {
		return
	}
	s.instance.ShutdownCallbacks()
	_ = s.instance.Stop() // never fails
}

func start(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, args, "COREFILE")
	if stateOf(ts).server.instance != nil {
		ts.Fatalf("a server runs already: use reload")
	}
	expect(ts, neg, stateOf(ts).server.start(corefile(ts, args[0], "")))
}

func reload(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, args, "COREFILE")
	if stateOf(ts).server.instance == nil {
		ts.Fatalf("no server runs: use start")
	}
	expect(ts, neg, stateOf(ts).server.reload(corefile(ts, args[0], "")))
}

// expect fails the script if there is an error but should be none, or the other
// way round. The error is left for the command stderr.
func expect(ts *testscript.TestScript, neg bool, err error) {
	if err != nil {
		fmt.Fprintln(ts.Stderr(), err)
	}
	if neg != (err != nil) {
		ts.Fatalf("unexpected result: %v", err)
	}
}

// operands fails the script unless there is one argument for every name.
func operands(ts *testscript.TestScript, args []string, names ...string) {
	if len(args) != len(names) {
		ts.Fatalf("expected %s", strings.Join(names, " "))
	}
}

// corefile reads a Corefile and puts in the ports and the line.
func corefile(ts *testscript.TestScript, name, line string) caddy.Input {
	pairs := []string{"{LINE}", line}
	for _, port := range ports {
		pairs = append(pairs, "{"+port+"}", ts.Getenv(port))
	}
	return caddy.CaddyfileInput{
		Filepath:       name,
		Contents:       []byte(strings.NewReplacer(pairs...).Replace(ts.ReadFile(name))),
		ServerTypeName: "dns",
	}
}

// refuse starts a server with one line after the other, none of which it may take.
func refuse(ts *testscript.TestScript, args []string) (string, error) {
	if len(args) != 2 {
		return "", errors.New("expected refuse COREFILE FILE")
	}
	s := &stateOf(ts).server
	return replay(ts.ReadFile(args[1]), func(line string) (string, error) {
		err := s.start(corefile(ts, args[0], line))
		if err == nil {
			return "", fmt.Errorf("the server took: %s", line)
		}
		return err.Error() + "\n", nil
	})
}

// replace changes a file that the server may read at any time, so it is never
// there by half.
func replace(ts *testscript.TestScript, _ bool, args []string) {
	operands(ts, args, "FILE", "OLD", "NEW")
	before := ts.ReadFile(args[0])
	if !strings.Contains(before, args[1]) {
		ts.Fatalf("%s does not contain %q", args[0], args[1])
	}
	// Outside the folder that the server may read.
	temporary := ts.MkAbs(".replaced")
	ts.Check(os.WriteFile(temporary, []byte(strings.ReplaceAll(before, args[1], args[2])), 0o600))
	ts.Check(os.Rename(temporary, ts.MkAbs(args[0])))
}
