package udp

import (
	"bytes"
	"crypto/rand"
	"net"
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/reply"
)

// probes are packets that a listener sends to its own address, to find out which socket gets
// them. They look like a reply, which CoreDNS does not answer either.
type probes struct {
	index   uint32 // our socket's place in its group, or noIndex
	packet  [reply.HeaderSize + 16]byte
	arrived chan struct{}
}

func (p *probes) init() {
	_, _ = rand.Read(p.packet[reply.HeaderSize:]) // never fails
	p.packet[2] = 1 << 7                          // the bit QR
	p.index = noIndex
	p.arrived = make(chan struct{}, 64)
}

// seen must be called for each packet that is not a question.
func (p *probes) seen(packet []byte) {
	if !bytes.Equal(packet, p.packet[:]) {
		return
	}
	select {
	case p.arrived <- struct{}{}:
	default:
	}
}

// probe sends a packet to our own address, and reports whether it arrives at our socket in
// time.
func (l *Listener) probe(timeout time.Duration) bool {
	for len(l.probes.arrived) > 0 {
		<-l.probes.arrived
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(l.address))
	if err != nil {
		return false
	}
	defer conn.Close()
	if _, err := conn.Write(l.probes.packet[:]); err != nil {
		return false
	}
	select {
	case <-l.probes.arrived:
		return true
	case <-time.After(timeout):
		return false
	case <-l.done:
		return false
	}
}
