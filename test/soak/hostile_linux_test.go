//go:build soak

package soak

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/hostile"
)

const (
	// hostileBurst is how many packets are sent at once, and hostileRest the time between
	// two bursts.
	hostileBurst = 4
	hostileRest  = 40 * time.Millisecond
	// hostileIDs is how many packets an intruder can tell apart. They cover far more time
	// than a reply takes.
	hostileIDs = 4096
)

// intruder sends corrupted packets to one listener, and checks the replies. The machine has
// no device but loopback, so the packets stay on it.
type intruder struct {
	address string
	names   []string
	silent  bool // sends only packets that must get no reply; otherwise only others
	tally   *tally
	random  *rand.Rand
	conn    net.Conn
	id      uint16
	sent    map[uint16][]byte // packets without a reply so far
}

// namesOf returns the names in all questions.
func namesOf(objects []*object) (names []string, _ error) {
	for _, o := range objects {
		for _, q := range o.questions {
			m, err := message(q)
			if err != nil {
				return nil, err
			}
			names = append(names, m.Question[0].Name)
		}
	}
	return names, nil
}

// run sends packets until the context ends.
func (i *intruder) run(ctx context.Context) (err error) {
	if i.conn, err = net.Dial("udp", i.address); err != nil {
		return err
	}
	defer i.conn.Close()
	i.random, i.sent = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())), map[uint16][]byte{}
	return repeat(ctx, hostileRest, i.step)
}

// step sends a burst, and receives replies until the next one is due.
func (i *intruder) step() error {
	for range hostileBurst {
		if _, err := i.conn.Write(i.next()); err != nil {
			i.tally.complain(i.address, err)
		}
	}
	i.tally.countHostile(hostileBurst, i.take())
	return nil
}

func (i *intruder) take() (replies int) {
	_ = i.conn.SetReadDeadline(time.Now().Add(hostileRest)) // never fails on a socket that is open
	for buf := make([]byte, dns.MaxMsgSize); ; {
		n, err := i.conn.Read(buf)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return replies
		}
		if err == nil {
			replies++
			err = i.judge(buf[:n])
		}
		if err != nil {
			i.tally.complain(i.address, err)
		}
	}
}

// next returns a packet of the selected kind. It has an ID of its own if it is long enough.
func (i *intruder) next() []byte {
	packet := hostile.Spoil(i.random, hostile.Question(i.random, i.names))
	for hostile.IsQuestion(packet) == i.silent {
		packet = hostile.Spoil(i.random, hostile.Question(i.random, i.names))
	}
	i.id = (i.id + 1) % hostileIDs
	if len(packet) >= 2 {
		binary.BigEndian.PutUint16(packet, i.id)
	}
	i.sent[i.id] = packet
	return packet
}

// judge returns an error if a packet is not a reply, or not the first reply to a packet
// that was sent.
func (i *intruder) judge(reply []byte) error {
	m := new(dns.Msg)
	if err := m.Unpack(reply); err != nil {
		return fmt.Errorf("the reply %x is malformed: %w", reply, err)
	}
	packet, open := i.sent[m.Id]
	delete(i.sent, m.Id)
	switch {
	case i.silent:
		return fmt.Errorf("%x is answered, to packets that are no questions such as %x", reply, packet)
	case !m.Response:
		return fmt.Errorf("%x, which is no reply, is sent to %x", reply, packet)
	case !open:
		return fmt.Errorf("%x has an ID that no packet has that waits for a reply", reply)
	}
	return nil
}

// reportHostile fails the test if the corrupted packets got no replies at all, or were too
// much for the server.
func (v *tally) reportHostile(t *testing.T, metrics string) {
	t.Helper()
	ignored := outcome(metrics, "ignored")
	t.Logf("%d hostile packets, %d replies to them; %.0f packets ignored", v.hostile, v.replies, ignored)
	if v.replies == 0 || ignored == 0 {
		t.Error("hostile packets have not come to the server")
	}
	if panics := sum(metrics, `^coredns_panics_total (.*)$`); panics != 0 {
		t.Errorf("the server has recovered from %.0f panics", panics)
	}
}
