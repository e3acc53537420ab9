package server

import (
	"context"
	"errors"
	"net"
	"os"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/freeport"
	"github.com/clusterdns/clusterdns/test/kit/process"
)

// Single describes a CoreDNS server with a Corefile of its own, ours or stock.
type Single struct {
	Binary   string
	Path     string                   // path of its files, without extension
	Corefile func(port string) string // must listen on 127.0.0.1
	Known    string                   // name of the cluster with an A record: once it has an answer, the server has the cluster
}

// Start starts the server and waits until it has the cluster.
func (s Single) Start(ctx context.Context) (address string, p *process.Process, err error) {
	free, err := freeport.Addrs(1)
	if err != nil {
		return "", nil, err
	}
	address = free[0]
	_, port, _ := net.SplitHostPort(address) // never fails
	if err := os.WriteFile(s.Path+".Corefile", []byte(s.Corefile(port)), 0o600); err != nil {
		return "", nil, err
	}
	if p, err = process.Start(s.Binary, s.Path+".log", "-conf", s.Path+".Corefile"); err != nil {
		return "", nil, err
	}
	if err := p.AwaitReady(ctx, func(ctx context.Context) error { return s.probe(ctx, address) }); err != nil {
		p.Kill()
		return "", nil, err
	}
	return address, p, nil
}

func (s Single) probe(ctx context.Context, address string) error {
	m, err := dns.ExchangeContext(ctx, new(dns.Msg).SetQuestion(s.Known, dns.TypeA), address)
	if err == nil && m.Rcode != dns.RcodeSuccess {
		err = errors.New(dns.RcodeToString[m.Rcode])
	}
	return err
}
