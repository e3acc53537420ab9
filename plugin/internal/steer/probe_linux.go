package steer

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"net"
	"time"
)

const (
	headerSize = 12 // of a DNS message (RFC 1035 4.1.1)
	idSize     = 2
)

// probes are packets to the group's address, which show which socket gets them. They look like
// replies to a DNS server, so that no socket of the group answers them. The message ID is the
// number of the probe: a busy socket may read one after others have been sent.
type probes struct {
	packet  [headerSize + 16]byte
	sent    uint16
	arrived chan uint16
}

func (p *probes) init() {
	_, _ = rand.Read(p.packet[headerSize:]) // never fails
	p.packet[idSize] = 1 << 7               // the bit QR
	p.arrived = make(chan uint16, 64)
}

// Seen must be called for each packet at our socket that is not a question.
func (g *Group) Seen(packet []byte) {
	p := &g.probes
	if len(packet) != len(p.packet) || !bytes.Equal(packet[idSize:], p.packet[idSize:]) {
		return
	}
	select {
	case p.arrived <- binary.BigEndian.Uint16(packet):
	default:
	}
}

// probe sends a packet to the address, and reports whether our socket gets it in time.
func (g *Group) probe(timeout time.Duration) bool {
	p := &g.probes
	p.sent++
	binary.BigEndian.PutUint16(p.packet[:], p.sent)
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(g.address))
	if err != nil {
		return false
	}
	defer conn.Close()
	if _, err := conn.Write(p.packet[:]); err != nil {
		return false
	}
	return g.await(timeout)
}

// await waits for the last probe that was sent.
func (g *Group) await(timeout time.Duration) bool {
	late := time.After(timeout)
	for {
		select {
		case number := <-g.probes.arrived:
			if number == g.probes.sent {
				return true
			}
		case <-late:
			return false
		case <-g.done:
			return false
		}
	}
}
