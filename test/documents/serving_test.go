package documents

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/dnsutil"
	coreparse "github.com/coredns/coredns/plugin/pkg/parse"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/conformance/cases"
)

// everyCluster is a Service in every cluster: the API server makes it.
const everyCluster = "kubernetes.default.svc"

// serving is a question that shows that a server block serves.
type serving struct {
	address netip.AddrPort
	qname   string
	qtype   uint16
	exists  bool // an answer is required, not just any reply
}

// newServings returns one question for each server block.
func newServings(corefile string) ([]serving, error) {
	blocks, err := caddyfile.Parse("Corefile", strings.NewReader(corefile), nil)
	if err != nil {
		return nil, err
	}
	if len(blocks) == 0 {
		return nil, errors.New("the Corefile has no server block")
	}
	servings := make([]serving, len(blocks))
	for i, block := range blocks {
		if servings[i], err = newServing(block); err != nil {
			return nil, err
		}
	}
	return servings, nil
}

func newServing(block caddyfile.ServerBlock) (serving, error) {
	s := serving{qname: plugin.OriginsFromArgsOrServerBlock(nil, block.Keys)[0], qtype: dns.TypeSOA}
	for _, name := range ourNames {
		if tokens := block.Tokens[name]; len(tokens) > 0 {
			origins := plugin.OriginsFromArgsOrServerBlock(arguments(tokens), block.Keys)
			s = serving{qname: dnsutil.Join(everyCluster, forwardOrigin(origins)), qtype: dns.TypeA, exists: true}
		}
	}
	port, err := udpPort(block.Keys, s.qname)
	s.address = netip.AddrPortFrom(bindAddr(block), port)
	return s, err
}

// arguments returns the words on the directive's first line.
func arguments(tokens []caddyfile.Token) []string {
	d := caddyfile.NewDispenserTokens("Corefile", tokens)
	d.Next()
	return d.RemainingArgs()
}

// forwardOrigin returns the zone with the names of Services. The server does not start
// without one, so the root is never used instead.
func forwardOrigin(origins []string) string {
	for _, origin := range origins {
		if dnsutil.IsReverse(origin) == 0 {
			return origin
		}
	}
	return "."
}

// udpPort returns the port of the key under which the server block serves the name.
func udpPort(keys []string, qname string) (uint16, error) {
	for _, key := range keys {
		protocol, key := coreparse.Transport(key)
		hosts, port, err := plugin.SplitHostPort(key)
		if err != nil {
			return 0, err
		}
		zones := plugin.Zones(hosts)
		zones.Normalize()
		if protocol != transport.DNS || !zones.Contains(qname) {
			continue
		}
		if port == "" {
			port = transport.Port
		}
		number, err := strconv.ParseUint(port, 10, 16)
		return uint16(number), err
	}
	return 0, fmt.Errorf("none of %q is asked for %s over UDP", keys, qname)
}

// bindAddr returns an address that the server block listens at. An interface stands for the
// loopback device, since there is no other.
func bindAddr(block caddyfile.ServerBlock) netip.Addr {
	for _, argument := range arguments(block.Tokens["bind"]) {
		if addr, err := netip.ParseAddr(argument); err == nil && !addr.IsUnspecified() {
			return addr
		}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

func (s *serving) client() cases.Client {
	return cases.Client{Dial: func(ctx context.Context, network string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.address.String())
	}}
}

// check asks once. A server that has just started may not answer yet.
func (s *serving) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	reply, err := s.client().Ask(ctx, "udp", s.qname, s.qtype)
	if err != nil {
		return err
	}
	if s.exists && (reply.Rcode != dns.RcodeSuccess || len(reply.Answer) == 0) {
		return fmt.Errorf("no answer:\n%s", reply)
	}
	return nil
}
