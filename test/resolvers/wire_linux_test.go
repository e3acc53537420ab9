package resolvers

import (
	"encoding/binary"
	"errors"
	"syscall"
	"testing"

	"github.com/miekg/dns"
)

// wire listens on the machine's device, as tcpdump does, to the questions that
// arrive at the cluster's DNS over UDP.
type wire struct{ socket int }

const (
	dnsPort      = 53
	maxPacket    = 65536
	udpProtocol  = 17
	udpHeader    = 8
	etherIPv4    = 0x0800
	receiveBytes = 4 << 20
)

func listen(t *testing.T) *wire {
	t.Helper()
	network := int(binary.NativeEndian.Uint16(binary.BigEndian.AppendUint16(nil, etherIPv4)))
	socket, err := syscall.Socket(syscall.AF_PACKET, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, network)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Close(socket) })
	if err := syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, receiveBytes); err != nil {
		t.Fatal(err)
	}
	return &wire{socket}
}

// drain are the questions that have arrived, each once: a resolver that has waited for
// too long sends the same packet again. On this device a packet is here as soon as it
// has been sent.
func (w *wire) drain(t *testing.T) []string {
	t.Helper()
	var questions []string
	seen := map[string]bool{}
	buf := make([]byte, maxPacket)
	for {
		n, from, err := syscall.Recvfrom(w.socket, buf, 0)
		if errors.Is(err, syscall.EAGAIN) {
			return questions
		}
		if err != nil {
			t.Fatal(err)
		}
		// The device shows what is sent, and again what arrives.
		if link, ok := from.(*syscall.SockaddrLinklayer); ok && link.Pkttype == syscall.PACKET_HOST {
			// The header of the network counts packets; what is behind it does not.
			if text := string(buf[int(buf[0]&15)*4 : n]); !seen[text] {
				seen[text] = true
				questions = append(questions, questionsIn(buf[:n])...)
			}
		}
	}
}

// questionsIn is the question of a packet to the cluster's DNS, if it is one.
func questionsIn(packet []byte) []string {
	header := int(packet[0]&15) * 4
	to := dnsAddr.As4()
	if len(packet) < header+udpHeader || packet[9] != udpProtocol || [4]byte(packet[16:20]) != to {
		return nil
	}
	if binary.BigEndian.Uint16(packet[header+2:]) != dnsPort {
		return nil
	}
	m := new(dns.Msg)
	if err := m.Unpack(packet[header+udpHeader:]); err != nil || m.Response || len(m.Question) != 1 {
		return nil
	}
	return []string{dns.TypeToString[m.Question[0].Qtype] + " " + m.Question[0].Name}
}
