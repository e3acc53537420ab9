// Command kubectl-clusterdns has the server's commands for users of kubectl: kubectl clusterdns doctor, and so on. It
// serves nothing.
//
// A Corefile is judged by setting its plugins up, so they are linked here too, but for the large ones: their lines are
// left out, and a note says so.
package main

import (
	"log"
	"maps"
	"os"

	"github.com/coredns/coredns/core/dnsserver"

	"github.com/clusterdns/clusterdns/cmd/coredns/bundle"
	"github.com/clusterdns/clusterdns/cmd/subcommands"
	"github.com/clusterdns/clusterdns/plugin/commands"
)

// absent are the plugins that only the server has.
var absent = []string{"azure", "clouddns", "dnssec", "etcd", "geoip", "nomad", "route53", "trace"}

func main() {
	elsewhere := maps.Clone(subcommands.All)
	delete(elsewhere, "top") // it asks the server that runs beside it
	if err := dnsserver.SetDirectives(bundle.Directives); err != nil {
		log.Fatal(err)
	}
	os.Exit(commands.Plugin(elsewhere, absent, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
