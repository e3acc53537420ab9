package main

import (
	"context"
	"fmt"

	"github.com/miekg/dns"
)

// measureNames asks for every Service by every type, so that all answers which a
// server keeps are there, and measures what that leaves on the heap.
func (l *life) measureNames(ctx context.Context) error {
	before, err := l.server.liveHeap(ctx)
	if err != nil {
		return err
	}
	for i := range l.shape.Services {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		qname := serviceQuestion(l.shape.serviceName(i), l.shape.namespaceOfService(i))
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV} {
			question := new(dns.Msg).SetQuestion(qname, qtype)
			question.SetEdns0(dns.DefaultMsgSize, false)
			if _, _, err := l.dns.client.ExchangeWithConn(question, l.dns.conn); err != nil {
				return fmt.Errorf("%s %s: %w", qname, dns.TypeToString[qtype], err)
			}
		}
	}
	after, err := l.server.liveHeap(ctx)
	if err != nil {
		return err
	}
	l.addBytes("live heap", before)
	l.addBytes("live heap after every Service was asked for", after)
	return nil
}
