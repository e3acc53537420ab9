package commands

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/explain/socket"
)

// exitUsage is the exit code for wrong arguments, and for what cannot even be begun.
const exitUsage = 1

// call is one call of a command: its flags, and where it prints.
type call struct {
	*flag.FlagSet
	usage       string
	out, errOut io.Writer
	format      *string
}

// newCall returns a call of a command, with the flag that says how it prints. The help begins with the usage.
func newCall(name, usage string, out, errOut io.Writer) *call {
	c := &call{FlagSet: flag.NewFlagSet(name, flag.ContinueOnError), usage: usage, out: out, errOut: errOut}
	c.SetOutput(io.Discard) // an error is printed once, and as the user asks for
	c.Usage = func() {}
	c.format = c.String("o", "text", "how to print: text or json")
	return c
}

// arguments parses flags that may also stand behind other arguments, which it returns. If the command is
// done with that, because help was asked for or the arguments are not valid, it returns the exit code.
func (c *call) arguments(args []string, valid func(others []string) error) (others []string, code int, done bool) {
	others, err := c.parse(args)
	if errors.Is(err, flag.ErrHelp) {
		c.help()
		return nil, 0, true
	}
	if err == nil && *c.format != "text" && *c.format != "json" {
		err = fmt.Errorf("-o %s: expected text or json", *c.format)
	}
	if err == nil {
		err = valid(others)
	}
	if err == nil {
		return others, 0, false
	}
	if asksForJSON(args) {
		*c.format = "json"
	}
	c.fail(exitUsage, err)
	if *c.format != "json" {
		c.help()
	}
	return nil, exitUsage, true
}

func (c *call) parse(args []string) (others []string, err error) {
	for {
		if err := c.Parse(args); err != nil {
			return nil, err
		}
		if args = c.Args(); len(args) == 0 {
			return others, nil
		}
		others, args = append(others, args[0]), args[1:]
	}
}

// asksForJSON reports whether arguments that are not valid ask for JSON all the same.
func asksForJSON(args []string) bool {
	text := " " + strings.Join(args, " ") + " "
	return strings.Contains(text, "-o json ") || strings.Contains(text, "-o=json ")
}

func (c *call) help() {
	fmt.Fprint(c.errOut, called(c.usage))
	c.SetOutput(c.errOut)
	c.PrintDefaults()
}

// none accepts no arguments but flags.
func none(others []string) error {
	if len(others) > 0 {
		return fmt.Errorf("expected nothing but flags, and not %s", strings.Join(others, " "))
	}
	return nil
}

// one accepts one argument besides flags, which is called by a word in the usage.
func one(word string) func(others []string) error {
	return func(others []string) error {
		if len(others) != 1 {
			return fmt.Errorf("expected one %s, and not %d", word, len(others))
		}
		return nil
	}
}

// indent is the indentation of an object that is printed alone.
const indent = "  "

// problem is an error in JSON.
type problem struct {
	Error string `json:"error"`
	Exit  int    `json:"exit"`
}

// fail prints why a command cannot go on, and returns the exit code. A program that asks for JSON finds it where it
// expects the rest.
func (c *call) fail(code int, err error) int {
	if *c.format == "json" && printJSON(c.out, problem{err.Error(), code}, "") == nil {
		return code
	}
	fmt.Fprintln(c.errOut, err)
	return code
}

// turnedOff says behind the error of a server that cannot be asked how to let it answer.
func turnedOff(err error, missing socket.Permission) error {
	if !errors.Is(err, socket.ErrNone) {
		return err
	}
	return fmt.Errorf("%w. Where one runs, %s", err, missing.Needed())
}

func printJSON(out io.Writer, v any, indent string) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", indent)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
