#!/usr/bin/env bash
# Software: CoreDNS v1.15.0 with caddy v1.1.4, on one processor.
#
# Expected: once the log says that a reload is complete, the new Corefile alone is served.
#
# Seen: of a reload that follows the start at once, the old server is never stopped. It reads the socket that both have, and all
# questions are answered by the old Corefile, for good. The server is started in the background, and to stop one that has not
# started is an error that nobody looks at. On two processors some runs end with both servers answering in turns.
#
# The script needs Go and the Go module proxy. It succeeds if all that is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat >main.go <<'GO'
package main

import (
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/template"
	"github.com/miekg/dns"
)

const port, questions = 25357, 200

func corefile(version string) caddy.Input {
	text := fmt.Sprintf(".:%d {\n bind 127.0.0.1\n template IN TXT example.org {\n answer \"{{ .Name }} 0 IN TXT %s\"\n }\n}\n", port, version)
	return caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(text), ServerTypeName: "dns"}
}

func main() {
	runtime.GOMAXPROCS(1)
	caddy.Quiet, dnsserver.Quiet = true, true
	i, err := caddy.Start(corefile("old"))
	if err != nil {
		panic(err)
	}
	if i, err = i.Restart(corefile("new")); err != nil {
		panic(err)
	}
	time.Sleep(3 * time.Second) // longer than any server takes to start or to end
	seen := map[string]int{}
	for range questions {
		m, err := dns.Exchange(new(dns.Msg).SetQuestion("example.org.", dns.TypeTXT), fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			panic(err)
		}
		seen[m.Answer[0].(*dns.TXT).Txt[0]]++
	}
	fmt.Printf("three seconds after the reload, %d of %d answers are those of the old Corefile\n", seen["old"], questions)
	if seen["old"] < questions*9/10 {
		fmt.Println("this has changed")
		os.Exit(1)
	}
}
GO
cat >go.mod <<'MOD'
module finding

go 1.26.0

require (
	github.com/coredns/caddy v1.1.4
	github.com/coredns/coredns v1.15.0
	github.com/miekg/dns v1.1.73
)
MOD
go mod tidy 2>/dev/null
go run .
