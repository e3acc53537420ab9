package chain

import (
	"context"
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin"
	"github.com/coredns/coredns/plugin/pkg/transport"
	"github.com/coredns/coredns/plugin/test"
	"github.com/miekg/dns"
)

// No datagram has 65,508 octets: the system would send nothing at all.
func TestSizeOfADatagram(t *testing.T) {
	for _, tc := range []struct {
		tcp        bool
		said, want uint16
	}{
		{said: 1232, want: 1232}, {said: 65507, want: 65507}, {said: 65508, want: 65507}, {said: 65535, want: 65507}, {tcp: true, said: 65535, want: 65535},
	} {
		r := new(dns.Msg).SetQuestion("a.", dns.TypeA).SetEdns0(tc.said, false)
		var got uint16
		h := first{next: plugin.HandlerFunc(func(_ context.Context, _ dns.ResponseWriter, r *dns.Msg) (int, error) {
			got = r.IsEdns0().UDPSize()
			return dns.RcodeSuccess, nil
		})}
		if _, err := h.ServeDNS(context.Background(), &test.ResponseWriter{TCP: tc.tcp}, r); err != nil || got != tc.want {
			t.Errorf("%+v: the size is %d, %v", tc, got, err)
		}
	}
}

func TestB4OtherTransports(t *testing.T) {
	if ReplyLimitOf(&dnsserver.Config{Transport: transport.QUIC}) {
		t.Error("a reply over QUIC is cut, and its client cannot ask over TCP")
	}
	if !ReplyLimitOf(&dnsserver.Config{Transport: transport.DNS}) {
		t.Error("a reply over UDP has no bound")
	}
}
