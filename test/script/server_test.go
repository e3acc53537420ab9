package script

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/coredns/caddy"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// server is the CoreDNS of a script, nil before the command start.
type server struct{ *coredns.Server }

func (s *server) start(corefile caddy.Input) (err error) {
	if s.Server, err = coredns.Start(corefile); err == nil {
		s.AwaitServing()
	}
	return err
}

// reload loads another Corefile, as SIGUSR1 makes the command do.
func (s *server) reload(corefile caddy.Input) error {
	err := s.Reload(corefile)
	if err == nil {
		s.AwaitServing()
	}
	return err
}

func (s *server) stop() {
	if s.Server != nil {
		s.Stop()
	}
}

func start(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, args, "COREFILE")
	if stateOf(ts).server.Server != nil {
		ts.Fatalf("a server runs already: use reload")
	}
	expect(ts, neg, stateOf(ts).server.start(corefile(ts, args[0], "")))
}

func reload(ts *testscript.TestScript, neg bool, args []string) {
	operands(ts, args, "COREFILE")
	if stateOf(ts).server.Server == nil {
		ts.Fatalf("no server runs: use start")
	}
	expect(ts, neg, stateOf(ts).server.reload(corefile(ts, args[0], "")))
}

// expect fails the script if there is an error and should be none, or the other way round.
// The command stderr sees the error.
func expect(ts *testscript.TestScript, neg bool, err error) {
	if err != nil {
		fmt.Fprintln(ts.Stderr(), err)
	}
	if neg != (err != nil) {
		ts.Fatalf("unexpected result: %v", err)
	}
}

// operands fails the script unless it has one argument for every name.
func operands(ts *testscript.TestScript, args []string, names ...string) {
	if len(args) != len(names) {
		ts.Fatalf("expected %s", strings.Join(names, " "))
	}
}

// corefile reads a Corefile and fills in the ports and the line.
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

// refuse tries to start a server with one line after another, and each start must fail.
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

// replace changes a file atomically, because the server may read it at any time.
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
