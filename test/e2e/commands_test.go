//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/lab"
)

// The exit codes of the commands.
const (
	exitWell    = 0
	exitFound   = 3 // doctor: something is red; explain: the name does not exist
	exitUnknown = 4
)

// command runs a command of the server, such as doctor.
type command func(ctx context.Context, args ...string) (said, error)

// said is what a command has printed.
type said struct {
	code int
	text string
}

// outside runs a command as somebody at a laptop does: kubectl clusterdns, with the kubeconfig
// of the administrator.
func outside(t *testing.T) command {
	t.Helper()
	root, err := lab.Repository()
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(root, "bin")
	if _, err := os.Stat(filepath.Join(folder, "kubectl-clusterdns")); err != nil {
		t.Fatalf("%v (run make kubectl-clusterdns)", err)
	}
	binaries, err := controlplane.Build(t.Context(), "kubectl")
	if err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context, args ...string) (said, error) {
		cmd := exec.CommandContext(ctx, binaries["kubectl"], append([]string{"clusterdns"}, args...)...)
		cmd.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"), "KUBECONFIG="+cluster.Kubeconfig())
		return runCommand(cmd)
	}
}

// inside runs a command in a DNS Pod.
func inside(t *testing.T, pod string) command {
	t.Helper()
	binaries, err := controlplane.Build(t.Context(), "kubectl")
	if err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context, args ...string) (said, error) {
		all := []string{"--kubeconfig=" + cluster.Kubeconfig(), "exec", "--namespace=" + dnsNamespace, pod, "--", "/coredns"}
		return runCommand(exec.CommandContext(ctx, binaries["kubectl"], append(all, args...)...))
	}
}

// runCommand fails only if the command has not run to its end.
func runCommand(cmd *exec.Cmd) (s said, err error) {
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	err = cluster.Within(cmd.Run)
	var exited *exec.ExitError
	if errors.As(err, &exited) && exited.ExitCode() >= 0 {
		err = nil
	}
	if err != nil {
		return s, fmt.Errorf("%s: %w", cmd, err)
	}
	return said{cmd.ProcessState.ExitCode(), out.String() + errOut.String()}, nil
}

// checked is a line of doctor.
type checked struct{ Check, Light, What, Remedy string }

// line returns the line of doctor with the name. The command must have printed JSON.
func (s said) line(name string) (checked, error) {
	var report struct{ Checks []checked }
	if err := json.NewDecoder(strings.NewReader(s.text)).Decode(&report); err != nil {
		return checked{}, fmt.Errorf("exit code %d: %w: %s", s.code, err, s.text)
	}
	for _, l := range report.Checks {
		if l.Check == name {
			return l, nil
		}
	}
	return checked{}, fmt.Errorf("no line %s: %s", name, s.text)
}

// finds waits until doctor says of one thing that it is red, in these words.
func (c command) finds(t *testing.T, check string, words ...string) {
	t.Helper()
	c.shows(t, check, "red", exitFound, words)
}

func (c command) shows(t *testing.T, check, light string, code int, words []string) {
	t.Helper()
	eventually(t, func(ctx context.Context) error {
		s, err := c(ctx, "doctor", "-o", "json")
		if err != nil {
			return err
		}
		l, err := s.line(check)
		if err != nil {
			return err
		}
		if l.Light != light || s.code != code {
			return fmt.Errorf("exit code %d, want %d and %s to be %s: %s", s.code, code, check, light, s.text)
		}
		t.Logf("doctor: %s %s: %s => %s", l.Light, l.Check, l.What, l.Remedy)
		return lacks(l.What+" => "+l.Remedy, words)
	})
}

// isWell waits until doctor has nothing to say.
func (c command) isWell(t *testing.T) {
	t.Helper()
	eventually(t, func(ctx context.Context) error {
		s, err := c(ctx, "doctor")
		if err == nil && (s.code != exitWell || strings.Count(s.text, "\n") != strings.Count("\n"+s.text, "\ngreen ")) {
			err = fmt.Errorf("exit code %d, want %d and green lines alone:\n%s", s.code, exitWell, s.text)
		}
		return err
	})
}

// suspects waits until doctor says of one thing that it is yellow, in these words.
func (c command) suspects(t *testing.T, check string, words ...string) {
	t.Helper()
	c.shows(t, check, "yellow", exitWell, words)
}

// explains waits until explain exits with the code, says of objects the facts, and concludes in
// these words with a cause and a remedy.
func (c command) explains(t *testing.T, code int, args, words []string, facts ...string) {
	t.Helper()
	conclusion := ""
	eventually(t, func(ctx context.Context) error {
		s, err := c(ctx, append([]string{"explain"}, args...)...)
		if err != nil {
			return err
		}
		if s.code != code {
			return fmt.Errorf("exit code %d, want %d:\n%s", s.code, code, s.text)
		}
		_, conclusion, _ = strings.Cut(s.text, "\ncause: ")
		return errors.Join(lacks(conclusion, words), lacks(s.text, facts))
	})
	t.Logf("explain %s: %s", strings.Join(args, " "), strings.TrimSpace(conclusion))
}

// lacks returns an error if a text is without one of the words.
func lacks(text string, words []string) error {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return fmt.Errorf("without %q:\n%s", w, text)
		}
	}
	return nil
}
