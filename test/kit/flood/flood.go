// Package flood is a client that floods a DNS server.
package flood

import (
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// from is the address of the client that floods.
var from = net.IPv4(127, 0, 0, 66)

// dialTimeout is how long a connection may take, so that few of them wait for a server that accepts none.
const dialTimeout = 10 * time.Second

// Flood is a way to be impolite.
type Flood struct {
	Rate        int // questions over UDP per second
	Connections int // TCP connections, if there is no rate
	Question    func(i int) (name string, qtype uint16)
}

// Run floods a server until the context ends.
func (f *Flood) Run(ctx context.Context, to string) error {
	if f.Rate == 0 {
		return f.overTCP(ctx, to)
	}
	dialer := net.Dialer{LocalAddr: &net.UDPAddr{IP: from}}
	conn, err := dialer.DialContext(ctx, "udp4", to)
	if err != nil {
		return err
	}
	defer conn.Close()
	runtime.LockOSThread() // so that other goroutines do not delay it
	defer runtime.UnlockOSThread()
	begun := time.Now()
	for sent := 0; ctx.Err() == nil; time.Sleep(time.Millisecond) {
		due := int(time.Since(begun).Seconds() * float64(f.Rate))
		for ; sent < due && ctx.Err() == nil; sent++ {
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
func (f *Flood) packet(i int) ([]byte, error) {
	return new(dns.Msg).SetQuestion(f.Question(i)).SetEdns0(1232, false).Pack()
}

// overTCP asks over many connections, over each one as fast as answers arrive.
func (f *Flood) overTCP(ctx context.Context, to string) error {
	packet, err := f.packet(0)
	if err != nil {
		return err
	}
	packet = append([]byte{byte(len(packet) >> 8), byte(len(packet))}, packet...)
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}, Timeout: dialTimeout}
	var asking sync.WaitGroup
	defer asking.Wait()
	for range f.Connections {
		if ctx.Err() != nil {
			return nil
		}
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
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
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
