#!/usr/bin/env bash
# Software: google.golang.org/grpc v1.84.0, the resolver "dns" with the load balancer round_robin.
#
# Expected: a name that cannot be resolved again leaves the connections that work as they are, whatever the reason, as
# the resolver does for SERVFAIL: the name is asked for again only because a connection to one of several endpoints broke.
#
# Seen: NXDOMAIN counts as a list of no addresses. Healthy connections are closed and each call fails with "no children to
# pick from" until the name is back. In Kubernetes a headless Service is NXDOMAIN as soon as its last endpoint is unready.
#
# The script needs Go and the Go module proxy. It succeeds if all that is still so.
set -euo pipefail
folder=$(mktemp -d)
trap 'chmod -R u+w "$folder"; rm -rf "$folder"' EXIT
cd "$folder"
cat >main.go <<'GO'
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/miekg/dns"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	grpcdns "google.golang.org/grpc/resolver/dns"
)

var rcode atomic.Int32 // what the name server answers with

func main() {
	grpcdns.SetMinResolutionInterval(100 * time.Millisecond)
	names, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go dns.ActivateAndServe(nil, names, dns.HandlerFunc(answer))
	servfail := failures(names.LocalAddr().String(), dns.RcodeServerFailure)
	nxdomain := failures(names.LocalAddr().String(), dns.RcodeNameError)
	fmt.Printf("calls that failed of 40, with one healthy connection: SERVFAIL %d, NXDOMAIN %d\n", servfail, nxdomain)
	if servfail > 5 || nxdomain < 20 {
		fmt.Println("this has changed")
		os.Exit(1)
	}
}

func answer(w dns.ResponseWriter, r *dns.Msg) {
	m := new(dns.Msg).SetReply(r)
	m.Rcode = int(rcode.Load())
	for _, ip := range []string{"127.0.0.2", "127.0.0.3"} {
		if r.Question[0].Qtype == dns.TypeA && m.Rcode == dns.RcodeSuccess {
			hdr := dns.RR_Header{Name: r.Question[0].Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 1}
			m.Answer = append(m.Answer, &dns.A{Hdr: hdr, A: net.ParseIP(ip)})
		}
	}
	w.WriteMsg(m)
}

// failures ends one of two endpoints while the name server fails, and counts calls that fail.
func failures(nameServer string, code int) (failed int) {
	rcode.Store(dns.RcodeSuccess)
	stays, port := serve("127.0.0.2:0")
	defer stays.Stop()
	ends, _ := serve("127.0.0.3:" + port)
	conn, err := grpc.NewClient("dns://"+nameServer+"/web.example.:"+port, grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(`{"loadBalancingConfig":[{"round_robin":{}}]}`))
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	for range 20 {
		call(conn)
	}
	rcode.Store(int32(code))
	ends.Stop()
	for range 40 {
		if call(conn) != nil {
			failed++
		}
	}
	return failed
}

func serve(addr string) (*grpc.Server, string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		panic(err)
	}
	s := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(s, health.NewServer())
	go s.Serve(l)
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return s, port
}

func call(conn *grpc.ClientConn) error {
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, new(grpc_health_v1.HealthCheckRequest))
	return err
}
GO
cat >go.mod <<'MOD'
module finding

go 1.26.0

require (
	github.com/miekg/dns v1.1.73
	google.golang.org/grpc v1.84.0
)
MOD
go mod tidy 2>/dev/null
go run .
