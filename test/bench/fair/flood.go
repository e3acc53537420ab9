package fair

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// flood is the behaviour of an impolite client.
type flood struct {
	name, title string
	upstream    behaviour
	properties  string // properties of our plugin in the Corefile
	question    func(i int) (name string, qtype uint16)
	rate        int // questions over UDP per second
	connections int // TCP connections, if there is no rate
}

// upstreamDelay is the delay of an upstream on another continent.
const upstreamDelay = 200 * time.Millisecond

// suffixes are the suffixes of a node with the longest search list that older resolvers
// allow.
const suffixes = "search names\n search_suffixes no.a.example no.b.example no.c.example no.d.example no.e.example no.f.example"

var floods = []flood{
	{
		name: "own", title: "60,000/s of cluster names", rate: 60_000,
		question: func(int) (string, uint16) { return ownName, dns.TypeA },
	},
	{
		name: "slow", title: "15,000/s of new outside names, upstream of 200 ms", rate: 15_000,
		upstream: behaviour{delay: upstreamDelay},
		question: func(i int) (string, uint16) { return fmt.Sprintf("f%d.flood.example.", i), dns.TypeA },
	},
	{
		name: "dead", title: "15,000/s of new outside names, upstream dead", rate: 15_000,
		upstream: behaviour{dead: true},
		question: func(i int) (string, uint16) { return fmt.Sprintf("f%d.flood.example.", i), dns.TypeA },
	},
	{
		name: "srv", title: "15,000/s of SRV of 5,000 endpoints", rate: 15_000,
		question: func(int) (string, uint16) { return "_http._tcp.many.app.svc.cluster.local.", dns.TypeSRV },
	},
	{
		name: "search", title: "5,000/s of searched names, six suffixes, upstream of 20 ms", rate: 5_000,
		upstream:   behaviour{delay: upstreamDelay / 10},
		properties: suffixes,
		question:   func(i int) (string, uint16) { return fmt.Sprintf("f%d.no.app.svc.cluster.local.", i), dns.TypeA },
	},
	{
		name: "tcp", title: "2,000 TCP connections", connections: 2000,
		question: func(int) (string, uint16) { return ownName, dns.TypeA },
	},
}

func (f *flood) chosen(names []string) bool { return len(names) == 0 || slices.Contains(names, f.name) }

// flooder is the address of the client that floods.
var flooder = net.IPv4(127, 0, 0, 66)

func (f *flood) run(ctx context.Context, to string) error {
	if f.rate == 0 {
		return f.overTCP(ctx, to)
	}
	address, err := net.ResolveUDPAddr("udp4", to)
	if err != nil {
		return err
	}
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: flooder}, address)
	if err != nil {
		return err
	}
	defer conn.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	begun := time.Now()
	for sent := 0; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		for due := int(time.Since(begun).Seconds() * float64(f.rate)); sent < due; sent++ {
			packet, err := f.packet(sent)
			if err != nil {
				return err
			}
			_, _ = conn.Write(packet) // packets that the server's buffer does not take are lost
		}
	}
	return nil
}

// packet returns the i-th question. Its EDNS size is 1,232 octets.
func (f *flood) packet(i int) ([]byte, error) {
	m := new(dns.Msg).SetQuestion(f.question(i))
	m.SetEdns0(1232, false)
	return m.Pack()
}

// overTCP asks over many connections, over each one as fast as answers arrive.
func (f *flood) overTCP(ctx context.Context, to string) error {
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: flooder}, Timeout: 10 * time.Second}
	packet, err := f.packet(0)
	if err != nil {
		return err
	}
	packet = append([]byte{byte(len(packet) >> 8), byte(len(packet))}, packet...)
	var asking sync.WaitGroup
	defer asking.Wait()
	for range f.connections {
		conn, err := dialer.DialContext(ctx, "tcp4", to)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			return nil
		}
		if err != nil {
			continue // the server accepts no more
		}
		asking.Go(func() { repeat(ctx, conn, packet) })
	}
	return nil
}

// repeat asks until the time is over or the server closes the connection.
func repeat(ctx context.Context, conn net.Conn, packet []byte) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	buf := make([]byte, 1<<16)
	for {
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
