package commands

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
)

// newFlags returns the flags of a command. Their help begins with the usage.
func newFlags(name, usage string, errOut io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet(name, flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.Usage = func() {
		fmt.Fprint(errOut, called(usage))
		flags.PrintDefaults()
	}
	return flags
}

// parseFlags parses flags that may also stand behind other arguments, which it returns. If the command is
// done with that, because help was asked for or the arguments are not valid, it returns the exit code.
func parseFlags(flags *flag.FlagSet, args []string, valid func(others []string) bool) (others []string, code int, done bool) {
	for {
		switch err := flags.Parse(args); {
		case errors.Is(err, flag.ErrHelp):
			return nil, 0, true
		case err != nil:
			return nil, 1, true
		}
		if args = flags.Args(); len(args) == 0 {
			break
		}
		others, args = append(others, args[0]), args[1:]
	}
	if !valid(others) {
		flags.Usage()
		return nil, 1, true
	}
	return others, 0, false
}

// formatFlag adds the flag that says how a command prints.
func formatFlag(flags *flag.FlagSet) *string {
	return flags.String("o", "text", "how to print: text or json")
}

func isFormat(format string) bool { return format == "text" || format == "json" }

// indent is the indentation of an object that is printed alone.
const indent = "  "

func printJSON(out io.Writer, v any, indent string) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", indent)
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}
