package fair

import (
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// behaviour is what an upstream does after a flood begins.
type behaviour struct {
	delay time.Duration
	dead  bool // it answers nothing
}

// upstream answers every name: a name with the label "no" does not exist, and all others
// have an address.
type upstream struct {
	behaviour
	conn  *net.UDPConn
	begun atomic.Bool
	late  chan reply
}

// reply is a delayed reply.
type reply struct {
	due    time.Time
	to     netip.AddrPort
	packet []byte
}

// lateReplies is the largest number of delayed replies.
const lateReplies = 1 << 16

func startUpstream(b behaviour) (*upstream, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(4 << 20) // a smaller one is enough
	u := &upstream{behaviour: b, conn: conn, late: make(chan reply, lateReplies)}
	go u.read()
	go u.write()
	return u, nil
}

func (u *upstream) address() string { return u.conn.LocalAddr().String() }

// begin ends the time without delays.
func (u *upstream) begin() { u.begun.Store(true) }

func (u *upstream) stop() { _ = u.conn.Close() }

func (u *upstream) read() {
	defer close(u.late)
	buf := make([]byte, 2048)
	for {
		n, from, err := u.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		switch packet := answer(buf[:n]); {
		case packet == nil || u.begun.Load() && u.dead:
		case u.begun.Load() && u.delay > 0:
			u.late <- reply{time.Now().Add(u.delay), from, packet}
		default:
			_, _ = u.conn.WriteToUDPAddrPort(packet, from) // the client may be gone
		}
	}
}

// write sends the replies that are due. All have the same delay, so the first is always the
// next.
func (u *upstream) write() {
	for r := range u.late {
		time.Sleep(time.Until(r.due))
		_, _ = u.conn.WriteToUDPAddrPort(r.packet, r.to)
	}
}

// answer turns a question into its answer, without the question's additional records.
func answer(question []byte) []byte {
	const header = 12
	end, denied := header, false
	for end < len(question) && question[end] != 0 {
		if question[end] == 2 && end+3 <= len(question) && string(question[end+1:end+3]) == "no" {
			denied = true
		}
		end += 1 + int(question[end])
	}
	if end += 5; end > len(question) {
		return nil
	}
	packet := append([]byte(nil), question[:end]...)
	copy(packet[2:], []byte{0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0})
	if denied {
		packet[3] |= 3
		return packet
	}
	if question[end-4] != 0 || question[end-3] != 1 {
		return packet
	}
	packet[7] = 1
	return append(packet, 0xc0, header, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1)
}
