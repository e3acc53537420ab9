#!/usr/bin/env bash
# Software: CoreDNS v1.15.0, plugin minimal beside plugin transfer.
#
# Expected: a secondary gets the zone, whatever stands ahead of transfer (RFC 5936 2.2). The documentation of minimal says
# that it leaves the authority and additional sections out.
#
# Seen: of a transfer of several messages the last one alone is sent, without the SOA record that it has to begin with, while
# the log says that all records went out.
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
	"net"
	"os"
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/minimal"
	_ "github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"
)

const hosts = 9000

func main() {
	caddy.Quiet, dnsserver.Quiet = true, true
	var zone strings.Builder
	zone.WriteString("example.org. 60 IN SOA ns.example.org. mail.example.org. 1 60 60 600 60\nexample.org. 60 IN NS ns.example.org.\n")
	for i := range hosts {
		fmt.Fprintf(&zone, "h%d.example.org. 60 IN A 10.0.%d.%d\n", i, i/250, i%250+1)
	}
	if err := os.WriteFile("zone", []byte(zone.String()), 0o600); err != nil {
		panic(err)
	}
	whole, begins := transfer(25355, "")
	cut, cutBegins := transfer(25356, "minimal")
	fmt.Printf("without minimal: %d records, begins with SOA: %v\nwith minimal: %d records, begins with SOA: %v\n", whole, begins, cut, cutBegins)
	if whole != hosts+3 || !begins || cut >= whole || cutBegins {
		fmt.Println("this has changed")
		os.Exit(1)
	}
}

// transfer starts a server and counts the records of all messages that come.
func transfer(port int, plugin string) (records int, begins bool) {
	corefile := fmt.Sprintf("example.org:%d {\n bind 127.0.0.1\n %s\n file zone\n transfer {\n to *\n }\n}\n", port, plugin)
	i, err := caddy.Start(caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(corefile), ServerTypeName: "dns"})
	if err != nil {
		panic(err)
	}
	defer i.Stop()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		panic(err)
	}
	c := &dns.Conn{Conn: conn}
	defer c.Close()
	if err := c.WriteMsg(new(dns.Msg).SetAxfr("example.org.")); err != nil {
		panic(err)
	}
	for {
		c.SetReadDeadline(time.Now().Add(3 * time.Second)) // the end of what comes
		m, err := c.ReadMsg()
		if err != nil || len(m.Answer) == 0 {
			return records, begins
		}
		if records == 0 {
			begins = m.Answer[0].Header().Rrtype == dns.TypeSOA
		}
		records += len(m.Answer)
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
