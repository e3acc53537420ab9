//go:build soak

package soak

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/miekg/dns"
)

const (
	// floodPeriod is the time between the beginnings of two floods, if there is time for
	// one of each kind, and one part in so many of it is flooded.
	floodPeriod = time.Minute
	floodPart   = 6
	// raceFactor is by how much slower floods are for a server with the race detector.
	raceFactor = 20
)

// flooder is the address of the client that floods.
var flooder = net.IPv4(127, 0, 0, 66)

// flood is a way to be impolite to a listener.
type flood struct {
	name        string
	rate        int // questions over UDP per second
	connections int // TCP connections, if there is no rate
	question    func(i int) (name string, qtype uint16)
}

func always(name string, qtype uint16) func(int) (string, uint16) {
	return func(int) (string, uint16) { return name, qtype }
}

func each(format string) func(int) (string, uint16) {
	return func(i int) (string, uint16) { return fmt.Sprintf(format, i), dns.TypeA }
}

var floods = []flood{
	{name: "cluster names", rate: 20_000, question: always("fixed"+suffix+".", dns.TypeA)},
	{name: "outside names, upstream dead", rate: 5000, question: each("f%d." + deadOrigin)},
	{name: "SRV of a big Service", rate: 5000, question: always("_http._tcp."+crowdName+suffix+".", dns.TypeSRV)},
	{name: "searched names, upstream dead", rate: 2000, question: each("f%d." + deadOrigin[:len(deadOrigin)-1] + suffix + ".")},
	{name: "TCP connections", connections: 500, question: always("fixed"+suffix+".", dns.TypeA)},
}

// noFlood is what the time between floods is called.
const noFlood = "none"

// weather says which flood there is.
type weather struct {
	mu   sync.Mutex
	name string
}

func (w *weather) set(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.name = name
}

func (w *weather) now() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.name
}

// flood sends floods of one kind after another, to two listeners at once, until the context
// ends.
func (w *weather) flood(ctx context.Context) (n int, err error) {
	period := min(floodPeriod, *duration/time.Duration(len(floods)))
	long := period / floodPart
	for ; ; n++ {
		if !pause(ctx, period-long) {
			return n, nil
		}
		f := floods[n%len(floods)]
		during, cancel := context.WithTimeout(ctx, long)
		w.set(f.name)
		var both sync.WaitGroup
		for _, to := range politeTo() {
			both.Go(func() {
				if e := f.run(during, to); e != nil {
					err = e
				}
			})
		}
		both.Wait()
		w.set(noFlood)
		cancel()
		if err != nil {
			return n, err
		}
	}
}

func (f *flood) run(ctx context.Context, to string) error {
	m := new(dns.Msg).SetQuestion(f.question(0))
	if f.rate == 0 {
		return f.overTCP(ctx, to, m)
	}
	dialer := net.Dialer{LocalAddr: &net.UDPAddr{IP: flooder}}
	conn, err := dialer.DialContext(ctx, "udp4", to)
	if err != nil {
		return err
	}
	defer conn.Close()
	rate := f.rate
	if raced {
		rate /= raceFactor
	}
	begun, sent := time.Now(), 0
	return repeat(ctx, time.Millisecond, func() error {
		due := int(time.Since(begun).Seconds() * float64(rate))
		for ; sent < due && ctx.Err() == nil; sent++ {
			packet, err := f.packet(sent)
			if err != nil {
				return err
			}
			_, _ = conn.Write(packet) // packets that the server's buffer does not take are lost
		}
		return nil
	})
}

// packet returns a question that differs from those of the last floods.
func (f *flood) packet(i int) ([]byte, error) {
	m := new(dns.Msg).SetQuestion(f.question(int(time.Now().UnixMilli()) + i))
	return m.SetEdns0(1232, false).Pack()
}

// overTCP asks over many connections, over each one as fast as answers arrive.
func (f *flood) overTCP(ctx context.Context, to string, m *dns.Msg) error {
	packet, err := m.Pack()
	if err != nil {
		return err
	}
	packet = append([]byte{byte(len(packet) >> 8), byte(len(packet))}, packet...)
	connections := f.connections
	if raced {
		connections /= raceFactor
	}
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: flooder}}
	var asking sync.WaitGroup
	defer asking.Wait()
	for range connections {
		conn, err := dialer.DialContext(ctx, "tcp4", to)
		if err != nil {
			continue // the server accepts no more, or a reload has begun
		}
		asking.Go(func() { askOn(ctx, conn, packet) })
	}
	return nil
}

// askOn asks until the context ends or the server closes the connection.
func askOn(ctx context.Context, conn net.Conn, packet []byte) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	for buf := make([]byte, dns.MaxMsgSize); ; {
		if _, err := conn.Write(packet); err != nil {
			return
		}
		if _, err := io.ReadFull(conn, buf[:2]); err != nil {
			return
		}
		if _, err := io.ReadFull(conn, buf[:int(buf[0])<<8|int(buf[1])]); err != nil {
			return
		}
	}
}
