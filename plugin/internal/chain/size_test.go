package chain

import (
	"testing"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/plugin/pkg/transport"
)

func TestB4OtherTransports(t *testing.T) {
	if ReplyLimitOf(&dnsserver.Config{Transport: transport.QUIC}) {
		t.Error("a reply over QUIC is cut, and its client cannot ask over TCP")
	}
	if !ReplyLimitOf(&dnsserver.Config{Transport: transport.DNS}) {
		t.Error("a reply over UDP has no bound")
	}
}
