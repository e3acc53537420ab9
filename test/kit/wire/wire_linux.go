// Package wire captures, like tcpdump, the questions over UDP that arrive at a DNS server,
// on the devices of a network namespace. It needs the right to open packet sockets.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"

	"github.com/miekg/dns"
)

// Wire captures the questions that arrive at one address.
type Wire struct {
	socket int
	to     netip.Addr
}

const (
	dnsPort      = 53
	maxPacket    = 65536
	udpProtocol  = 17
	udpHeader    = 8
	etherIPv4    = 0x0800
	receiveBytes = 4 << 20
)

// Listen starts to capture what arrives for an IPv4 address in the network namespace of the
// calling thread.
func Listen(to netip.Addr) (*Wire, error) {
	if !to.Is4() {
		return nil, fmt.Errorf("listening for %s: expected an IPv4 address", to)
	}
	network := int(binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, etherIPv4)))
	socket, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, network)
	if err != nil {
		return nil, fmt.Errorf("opening a packet socket: %w", err)
	}
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, receiveBytes); err != nil {
		return nil, errors.Join(fmt.Errorf("setting the size of its buffer: %w", err), syscall.Close(socket))
	}
	return &Wire{socket, to}, nil
}

// Close stops the capture.
func (w *Wire) Close() error { return syscall.Close(w.socket) }

// Question is a question that arrived.
type Question struct {
	From netip.Addr
	dns.Question
}

func (q Question) String() string { return dns.TypeToString[q.Qtype] + " " + q.Name }

// Drain returns the questions that have arrived since its last call, without repetitions: a
// resolver that has waited too long sends the same packet again. Every answered question is
// among them.
func (w *Wire) Drain() ([]Question, error) {
	var questions []Question
	seen := map[string]bool{}
	buf := make([]byte, maxPacket)
	for {
		n, from, err := syscall.Recvfrom(w.socket, buf, 0)
		if errors.Is(err, syscall.EAGAIN) {
			return questions, nil
		}
		if err != nil {
			return nil, err
		}
		// A loopback device shows each packet twice: when it is sent and when it arrives.
		link, ok := from.(*syscall.SockaddrLinklayer)
		if !ok || link.Pkttype != syscall.PACKET_HOST {
			continue
		}
		q, ok := questionIn(buf[:n], w.to)
		// The network header has a packet counter, so only the rest is compared.
		if text := string(buf[min(n, int(buf[0]&15)*4):n]); ok && !seen[text] {
			seen[text] = true
			questions = append(questions, q)
		}
	}
}

// questionIn returns the question in an IPv4 packet, if it is a question to the address.
func questionIn(packet []byte, to netip.Addr) (Question, bool) {
	if len(packet) == 0 {
		return Question{}, false
	}
	header := int(packet[0]&15) * 4
	if header < 20 || len(packet) < header+udpHeader || packet[9] != udpProtocol || [4]byte(packet[16:20]) != to.As4() {
		return Question{}, false
	}
	if binary.BigEndian.Uint16(packet[header+2:]) != dnsPort {
		return Question{}, false
	}
	m := new(dns.Msg)
	if err := m.Unpack(packet[header+udpHeader:]); err != nil || m.Response || len(m.Question) != 1 {
		return Question{}, false
	}
	return Question{netip.AddrFrom4([4]byte(packet[12:16])), m.Question[0]}, true
}
