// Package subcommands has the commands that the server and the plugin of kubectl share.
package subcommands

import (
	"io"

	"github.com/clusterdns/clusterdns/plugin/commands"
)

// All are the commands by name.
var All = map[string]commands.Command{
	"check":   commands.Check,
	"doctor":  commands.Doctor,
	"explain": commands.Explain,
	"top":     func(args []string, _ io.Reader, out, errOut io.Writer) int { return commands.Top(args, out, errOut) },
}
