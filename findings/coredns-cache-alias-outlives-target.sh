#!/usr/bin/env bash
# Software: CoreDNS v1.15.0, plugin cache with a plugin that completes an alias through the server (file here; kubernetes
# does the same for ExternalName Services).
#
# Expected: an address is given for as long as its TTL at most (RFC 1035 3.2.1), here 6 s, which is more than the cache's
# least TTL of 5 s: also below an alias, for which CoreDNS asks its own cache.
#
# Seen: the answer for the alias is kept too. It is made from the address that the cache has, and if that has a second to
# live, the least TTL makes it live five more: clients see its TTL rise, and get the address for 11 s.
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
	"sync/atomic"
	"time"

	"github.com/coredns/caddy"
	"github.com/coredns/coredns/core/dnsserver"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/forward"
	"github.com/miekg/dns"
)

const zone = `example.org. 60 IN SOA ns.example.org. mail.example.org. 1 60 60 600 60
example.org. 60 IN NS ns.example.org.
alias.example.org. 60 IN CNAME target.example.com.
`

const corefile = `.:25357 {
 bind 127.0.0.1
 cache 30
 file zone example.org
 forward example.com 127.0.0.1:25358
}
`

// lifetime is the TTL of the address, in seconds.
const lifetime = 6

func main() {
	caddy.Quiet, dnsserver.Quiet = true, true
	if err := os.WriteFile("zone", []byte(zone), 0o600); err != nil {
		panic(err)
	}
	conn, err := net.ListenPacket("udp", "127.0.0.1:25358")
	if err != nil {
		panic(err)
	}
	var asked atomic.Int32 // the address changes with each question
	go dns.ActivateAndServe(nil, conn, dns.HandlerFunc(func(w dns.ResponseWriter, r *dns.Msg) {
		m := new(dns.Msg).SetReply(r)
		header := dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: lifetime}
		m.Answer = []dns.RR{&dns.A{Hdr: header, A: net.IPv4(192, 0, 2, byte(asked.Add(1)))}}
		w.WriteMsg(m)
	}))
	i, err := caddy.Start(caddy.CaddyfileInput{Filepath: "Corefile", Contents: []byte(corefile), ServerTypeName: "dns"})
	if err != nil {
		panic(err)
	}
	defer i.Stop()
	began := time.Now()
	fresh := address("target.example.com.")
	time.Sleep(time.Until(began.Add(lifetime*time.Second - 700*time.Millisecond)))
	last := address("target.example.com.")
	first := address("alias.example.org.")
	again := address("alias.example.org.")
	time.Sleep(time.Until(began.Add((lifetime + 3) * time.Second)))
	old := address("alias.example.org.")
	age := time.Since(began)
	fmt.Printf("the address, with the TTL %d: %s\n", fresh.Hdr.Ttl, fresh.A)
	fmt.Printf("after 5.3 s: target %s with the TTL %d; alias %s with the TTL %d, and with %d when asked again\n", last.A, last.Hdr.Ttl, first.A, first.Hdr.Ttl, again.Hdr.Ttl)
	fmt.Printf("after %.1f s: alias %s\n", age.Seconds(), old.A)
	if last.Hdr.Ttl != 1 || again.Hdr.Ttl <= last.Hdr.Ttl || !old.A.Equal(fresh.A) || age < lifetime*time.Second {
		fmt.Println("this has changed")
		os.Exit(1)
	}
}

func address(name string) *dns.A {
	r, err := dns.Exchange(new(dns.Msg).SetQuestion(name, dns.TypeA), "127.0.0.1:25357")
	if err != nil {
		panic(err)
	}
	return r.Answer[len(r.Answer)-1].(*dns.A)
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
