// Command coredns is CoreDNS with the clusterdns plugin in the place of the
// stock kubernetes plugin. It takes the flags, the signals and every Corefile
// of stock CoreDNS, so that changing the image is all an operator has to do. A first
// argument that is no flag is a sub-command, which stock CoreDNS refuses.
//
// The plugins are imported one by one. CoreDNS's own bundle, core/plugin, must
// never be linked: it brings the stock kubernetes plugin, and caddy panics when
// two plugins register one name.
package main

import (
	"log"
	"os"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	"github.com/clusterdns/clusterdns/cmd/coredns/bundle"
	"github.com/clusterdns/clusterdns/cmd/subcommands"
)

func main() {
	if err := dnsserver.SetDirectives(bundle.Directives); err != nil {
		log.Fatal(err)
	}
	if len(os.Args) > 1 {
		if run := subcommands.All[os.Args[1]]; run != nil {
			standBack()
			os.Exit(run(os.Args[2:], os.Stdin, os.Stdout, os.Stderr))
		}
	}
	limitMemory(memlimit.FromCgroup)
	caddy.AppVersion = appVersion()
	coremain.Run()
}

// standBack has the kernel end this process first where memory is short: in the server's container a sub-command
// shares the limit of the server. Elsewhere than on Linux there is no such file.
func standBack() { _ = os.WriteFile("/proc/self/oom_score_adj", []byte("1000"), 0) }
