#!/usr/bin/env bash
# Software: CoreDNS v1.15.0, plugin secondary.
#
# Expected: a zone that has expired because its primary was away is served again when the primary is back, as BIND, NSD
# and Knot DNS do: the SOA record of the primary has the serial that the secondary has, so the data is right (RFC 1035
# 3.3.13, RFC 1034 4.3.5).
#
# Seen: SERVFAIL for good. Only a transfer ends the expiry, and none is made while the serial stays what it was.
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
	"strings"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/secondary"
	_ "github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"
)

// A zone that is looked at again every second and expires after four.
const zone = `example.org. 1 IN SOA ns.example.org. mail.example.org. SERIAL 1 1 4 1
example.org. 1 IN NS ns.example.org.
www.example.org. 1 IN A 192.0.2.1
`

const (
	primary   = "example.org:25353 {\n bind 127.0.0.1\n file zone\n transfer {\n to *\n }\n}\n"
	secondary = "example.org:25354 {\n bind 127.0.0.1\n secondary {\n transfer from 127.0.0.1:25353\n }\n}\n"
)

func start(corefile string) *caddy.Instance {
	i, err := caddy.Start(caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(corefile), ServerTypeName: "dns"})
	if err != nil {
		panic(err)
	}
	return i
}

func ask() string {
	m, _, err := new(dns.Client).Exchange(new(dns.Msg).SetQuestion("www.example.org.", dns.TypeA), "127.0.0.1:25354")
	if err != nil {
		return err.Error()
	}
	return dns.RcodeToString[m.Rcode]
}

func await(want string, patience time.Duration) bool {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if ask() == want {
			return true
		}
	}
	return false
}

func main() {
	caddy.Quiet, dnsserver.Quiet = true, true
	write("1")
	p := start(primary)
	start(secondary)
	served := await("NOERROR", 30*time.Second)
	p.Stop()
	expired := await("SERVFAIL", 60*time.Second)
	p = start(primary)
	again := await("NOERROR", 30*time.Second)
	p.Stop()
	write("2")
	start(primary)
	newer := await("NOERROR", 30*time.Second)
	fmt.Printf("served %v, expired %v, served again within 30 s: with the same serial %v, with a newer one %v\n", served, expired, again, newer)
	if !served || !expired || again || !newer {
		fmt.Println("this has changed")
		os.Exit(1)
	}
}

func write(serial string) {
	if err := os.WriteFile("zone", []byte(strings.Replace(zone, "SERIAL", serial, 1)), 0o600); err != nil {
		panic(err)
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
