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
	for said, want := range map[uint16]uint16{1232: 1232, 65507: 65507, 65508: 65507, 65535: 65507} {
		r := new(dns.Msg).SetQuestion("a.", dns.TypeA).SetEdns0(said, false)
		var got uint16
		h := first{next: plugin.HandlerFunc(func(_ context.Context, _ dns.ResponseWriter, r *dns.Msg) (int, error) {
			got = r.IsEdns0().UDPSize()
			return dns.RcodeSuccess, nil
		})}
		if _, err := h.ServeDNS(context.Background(), &test.ResponseWriter{}, r); err != nil || got != want {
			t.Errorf("%d: the size is %d, %v, want %d", said, got, err, want)
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
