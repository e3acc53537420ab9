package resolvers

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/clusterdns/clusterdns/test/kit/wire"
)

// patience is how long one look-up may take: some resolvers repeat questions for a while
// after a failure.
const patience = time.Minute

// stub is a stub resolver.
type stub struct {
	name     string
	families []string // families that it can be asked for
	ask      func(t *testing.T, name, family string) (output string)
}

var both = []string{"both", "4", "6"}

// programs are the programs that look up names with the resolvers of libraries.
type programs struct{ glibc, musl, cares string }

func compileAll(t *testing.T) programs {
	t.Helper()
	return programs{
		glibc: compile(t, "getaddrinfo.c", "gcc"),
		musl:  compile(t, "getaddrinfo.c", "musl-gcc", "-static"),
		cares: compile(t, "cares.c", "gcc", "-lcares"),
	}
}

// stubs starts the stub resolvers. They read the current resolv.conf.
func (p programs) stubs(t *testing.T) []stub {
	t.Helper()
	self := exec.Command(os.Args[0])
	self.Env = append(os.Environ(), lookupVariable+"=1")
	return []stub{
		{"glibc", both, converse(t, exec.Command(p.glibc))},
		{"musl", both, converse(t, exec.Command(p.musl))},
		{"Go", both, converse(t, self)},
		{"c-ares", both, converse(t, exec.Command(p.cares))},
		{"busybox nslookup", both[:1], busybox},
		{"dig +search", both[1:], digSearch},
	}
}

// converse starts a program that looks up names until the test ends. The returned function
// asks it for one.
func converse(t *testing.T, cmd *exec.Cmd) func(t *testing.T, name, family string) string {
	t.Helper()
	in, err := cmd.StdinPipe()
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
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v", cmd, err)
		}
	})
	lines := bufio.NewScanner(out)
	return func(t *testing.T, name, family string) string {
		t.Helper()
		// The look-up normally ends by itself; this is for one that does not.
		late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
		defer late.Stop()
		fmt.Fprintln(in, name, family)
		var text strings.Builder
		for lines.Scan() && lines.Text() != "" {
			fmt.Fprintln(&text, lines.Text())
		}
		if text.Len() == 0 {
			t.Fatalf("%v says nothing about %s", cmd, name)
		}
		return text.String()
	}
}

func busybox(t *testing.T, name, _ string) string {
	return outputOf(t, "busybox", "nslookup", name)
}

func digSearch(t *testing.T, name, family string) string {
	qtype := map[string]string{"4": "A", "6": "AAAA"}[family]
	return outputOf(t, "dig", "+search", "+short", name, qtype)
}

// outputOf runs a program and returns its output. Programs may report a name that does not
// exist as a failure.
func outputOf(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || !exit.Exited()) {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return string(out)
}

// compile compiles a file in testdata.
func compile(t *testing.T, source, compiler string, flags ...string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), strings.TrimSuffix(source, ".c"))
	args := append([]string{"-Wall", "-Werror", "-O1", "-o", program, filepath.Join("testdata", source)}, flags...)
	if out, err := exec.Command(compiler, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s(make resolvers installs what is missing)", compiler, args, err, out)
	}
	return program
}

// result is the result of a look-up: addresses in order, or none.
type result struct {
	addrs     string
	questions []string // as they arrived
}

// lookUp makes one look-up with a stub resolver.
func (s *stub) lookUp(t *testing.T, w *wire.Wire, name, family string) result {
	t.Helper()
	drain(t, w)
	text := s.ask(t, name, family)
	return result{addrs: addrsIn(text), questions: drain(t, w)}
}

// addrsIn returns the addresses in a program's output without that of the server, which
// busybox prints first.
func addrsIn(out string) string {
	var found []string
	for word := range strings.FieldsSeq(out) {
		addr, err := netip.ParseAddr(word)
		if err == nil && addr != dnsAddr && !slices.Contains(found, word) {
			found = append(found, word)
		}
	}
	slices.Sort(found)
	return strings.Join(found, " ")
}
