package differential

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"time"
)

// tries are the waits for an answer before a query is sent again. A query without any
// answer costs their sum, and some of stock's are never answered.
var tries = []time.Duration{300 * time.Millisecond, 600 * time.Millisecond, 900 * time.Millisecond}

var errNoReply = errors.New("no reply")

// line is the connection of one client to one server: a UDP socket and a TCP connection,
// both made when they are first needed. It has one query at a time.
type line struct {
	address  string
	client   netip.Addr // source address; invalid for any
	udp, tcp net.Conn
	buf      [65535]byte
}

func (l *line) close() {
	for _, conn := range []net.Conn{l.udp, l.tcp} {
		if conn != nil {
			conn.Close()
		}
	}
}

// start sends a query without waiting.
func (l *line) start(query []byte, tcp bool) error {
	if tcp {
		return l.startTCP(query)
	}
	if l.udp == nil {
		conn, err := l.dial("udp")
		if err != nil {
			return err
		}
		l.udp = conn
	}
	_, err := l.udp.Write(query)
	return err
}

// startTCP uses the connection of the previous query, which the server may have closed in
// the meantime.
func (l *line) startTCP(query []byte) error {
	framed := binary.BigEndian.AppendUint16(nil, uint16(len(query)))
	framed = append(framed, query...)
	if l.tcp != nil {
		if _, err := l.tcp.Write(framed); err == nil {
			return nil
		}
	}
	if err := l.redial(); err != nil {
		return err
	}
	_, err := l.tcp.Write(framed)
	return err
}

func (l *line) redial() (err error) {
	if l.tcp != nil {
		l.tcp.Close()
	}
	l.tcp, err = l.dial("tcp")
	return err
}

// dial connects from the client's address.
func (l *line) dial(network string) (net.Conn, error) {
	var dialer net.Dialer
	switch {
	case !l.client.IsValid():
	case network == "udp":
		dialer.LocalAddr = &net.UDPAddr{IP: l.client.AsSlice()}
	default:
		dialer.LocalAddr = &net.TCPAddr{IP: l.client.AsSlice()}
	}
	return dialer.Dial(network, l.address)
}

// finish waits for the answer to the query of start, and sends the query again when it
// seems lost. The result is valid until the next query.
func (l *line) finish(query []byte, tcp bool) ([]byte, error) {
	var err error
	for i, patience := range tries {
		if i > 0 {
			if err = l.restart(query, tcp); err != nil {
				continue
			}
		}
		var reply []byte
		if reply, err = l.receive(query, tcp, time.Now().Add(patience)); err == nil {
			return reply, nil
		}
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errNoReply
	}
	return nil, err
}

// restart opens a new connection, because the old one may still have octets of the last
// answer.
func (l *line) restart(query []byte, tcp bool) error {
	if tcp {
		if err := l.redial(); err != nil {
			return err
		}
	}
	return l.start(query, tcp)
}

// receive reads until the query's answer arrives. It skips answers to earlier, abandoned
// queries.
func (l *line) receive(query []byte, tcp bool, deadline time.Time) ([]byte, error) {
	for {
		reply, err := l.read(tcp, deadline)
		if err != nil {
			return nil, err
		}
		if len(reply) >= 12 && reply[0] == query[0] && reply[1] == query[1] {
			return reply, nil
		}
	}
}

func (l *line) read(tcp bool, deadline time.Time) ([]byte, error) {
	if !tcp {
		if err := l.udp.SetReadDeadline(deadline); err != nil {
			return nil, err
		}
		n, err := l.udp.Read(l.buf[:])
		return l.buf[:n], err
	}
	if err := l.tcp.SetReadDeadline(deadline); err != nil {
		return nil, err
	}
	if _, err := io.ReadFull(l.tcp, l.buf[:2]); err != nil {
		return nil, err
	}
	size := binary.BigEndian.Uint16(l.buf[:2])
	_, err := io.ReadFull(l.tcp, l.buf[:size])
	return l.buf[:size], err
}

// asker is one client of several servers.
type asker struct {
	lines  []*line
	client netip.Addr
	plain  *asker // one whose names are not completed, and to whom nothing is refused; it may be the same
	failed int    // how many further questions got no answer, or SERVFAIL as from a busy upstream
}

func newAsker(addresses ...string) *asker { return newAskerFrom(netip.Addr{}, addresses...) }

// newAskerFrom returns a client with an address.
func newAskerFrom(client netip.Addr, addresses ...string) *asker {
	a := &asker{client: client}
	for _, address := range addresses {
		a.lines = append(a.lines, &line{address: address, client: client})
	}
	a.plain = a
	if client != plainAddr {
		a.plain = newAskerFrom(plainAddr, addresses...)
	}
	return a
}

func (a *asker) close() {
	if a.plain != a {
		a.plain.close()
	}
	for _, l := range a.lines {
		l.close()
	}
}

// both asks the first two servers at the same time.
func (a *asker) both(q question) (stock, ours *reply, err error) {
	query, err := q.pack(uint16(rand.Uint32()))
	if err != nil {
		return nil, nil, err
	}
	for _, l := range a.lines[:2] {
		if err := l.start(query, q.tcp); err != nil {
			return nil, nil, err
		}
	}
	return a.lines[0].finishReply(query, q), a.lines[1].finishReply(query, q), nil
}

// one asks one of the servers.
func (a *asker) one(server int, q question) *reply {
	query, err := q.pack(uint16(rand.Uint32()))
	if err != nil {
		return &reply{problem: err}
	}
	l := a.lines[server]
	if err := l.start(query, q.tcp); err != nil {
		return &reply{problem: err}
	}
	return l.finishReply(query, q)
}

func (l *line) finishReply(query []byte, q question) *reply {
	wire, err := l.finish(query, q.tcp)
	if err != nil {
		return &reply{problem: err}
	}
	return parseReply(wire, q)
}
