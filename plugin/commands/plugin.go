package commands

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/clusterdns/clusterdns/plugin/internal/check"
)

// Command is a sub-command. It returns the exit code.
type Command func(args []string, in io.Reader, out, errOut io.Writer) int

// pluginName is the name under which kubectl finds the commands.
const pluginName = "kubectl-clusterdns"

// Plugin runs the one of some commands that its arguments begin with, for users of kubectl. absent are the plugins of
// CoreDNS that the server has and this program has not.
func Plugin(all map[string]Command, absent, args []string, in io.Reader, out, errOut io.Writer) int {
	check.Absent = absent
	if len(args) > 0 {
		if run := all[args[0]]; run != nil {
			return run(args[1:], in, out, errOut)
		}
	}
	fmt.Fprintf(errOut, "usage: kubectl clusterdns %s ...\n-h behind a command says what it does.\n", strings.Join(slices.Sorted(maps.Keys(all)), "|"))
	return 1
}

// called returns a usage with the name by which the program is called.
func called(usage string) string {
	if strings.HasPrefix(filepath.Base(os.Args[0]), pluginName) {
		return strings.Replace(usage, "usage: coredns ", "usage: kubectl clusterdns ", 1)
	}
	return usage
}
