package script

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

const (
	// patience is how long a change may take to show. Manifests are checked four times a
	// second; the rest is for a busy machine.
	patience = 10 * time.Second
	// interval is the time between two attempts.
	interval = 20 * time.Millisecond
)

// printer is a command that only prints, so it can be repeated.
type printer func(ts *testscript.TestScript, args []string) (string, error)

// once turns a printer into a command.
func once(p printer) func(ts *testscript.TestScript, neg bool, args []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		text, err := p(ts, args)
		fmt.Fprint(ts.Stdout(), text)
		expect(ts, neg, err)
	}
}

// eventually repeats a command until its output matches. The commands stdout and cmp see
// the last output.
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || printers[args[1]] == nil {
		ts.Fatalf("expected eventually REGEXP COMMAND ARG..., COMMAND one that prints")
	}
	want, err := regexp.Compile("(?m)" + args[0])
	ts.Check(err)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		text, err := printers[args[1]](ts, args[2:])
		matches := err == nil && want.MatchString(text)
		late := time.Now().After(deadline)
		if matches || late {
			fmt.Fprint(ts.Stdout(), text)
		}
		if matches {
			return
		}
		if late {
			ts.Fatalf("no match for %q within %s: %v", args[0], patience, err)
		}
	}
}

// ask prints a file with the answers to its questions, which are asked with additional
// options. It does not print the options, so that one file has the wanted answers whatever
// the options are.
func ask(ts *testscript.TestScript, args []string) (string, error) {
	if len(args) == 0 {
		return "", errors.New("expected ask FILE [OPTION...]")
	}
	return replay(ts.ReadFile(args[0]), func(line string) (string, error) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] != "dig" {
			return "", fmt.Errorf("expected a line that begins with dig: %s", line)
		}
		return dig(ts, append(slices.Clone(args[1:]), words[1:]...))
	})
}

// replay prints a file with a new result after each line that begins with "$ ". It drops
// the old results and keeps comments.
func replay(text string, run func(line string) (string, error)) (string, error) {
	var b strings.Builder
	answered := false // so a blank line is due
	for line := range strings.Lines(text) {
		input, isInput := strings.CutPrefix(line, "$ ")
		if !isInput && !strings.HasPrefix(line, "#") {
			continue
		}
		if answered {
			b.WriteString("\n")
		}
		b.WriteString(line)
		if answered = isInput; !isInput {
			continue
		}
		output, err := run(strings.TrimSpace(input))
		if err != nil {
			return b.String(), err
		}
		b.WriteString(output)
	}
	return b.String(), nil
}
