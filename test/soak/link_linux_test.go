//go:build soak

package soak

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

const (
	// stallPeriod is the time between the beginnings of two stalls, if there is time for
	// three.
	stallPeriod = 2 * time.Minute
	// stallPart says that a stall takes one part in so many of the period. Every third
	// stall is longer by longStall: long enough that a client notices a dead connection.
	stallPart = 6
	longStall = 2.5
)

// link is the network between the server and its API server: a TCP relay that can fall
// silent while its connections stay open.
type link struct {
	addr   string
	target string
	open   sync.RWMutex // writers keep everything back
	// held is locked while the link is silent, and while a reload needs it.
	held sync.Mutex
}

// startLink starts a relay to an address, which ends with the test.
func startLink(t *testing.T, target string) *link {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	l := &link{addr: listener.Addr().String(), target: target}
	go func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			go l.relay(near)
		}
	}()
	return l
}

func (l *link) relay(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", l.target)
	if err != nil {
		return // as if the API server were away
	}
	defer far.Close()
	go func() {
		l.pass(far, near)
		far.Close() // ends the other direction
	}()
	l.pass(near, far)
}

// pass copies what arrives, but nothing while the link is silent.
func (l *link) pass(to io.Writer, from io.Reader) {
	for buf := make([]byte, 1<<16); ; {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		l.open.RLock()
		_, err = to.Write(buf[:n])
		l.open.RUnlock()
		if err != nil {
			return
		}
	}
}

// stall lets the link fall silent from time to time until the context ends. After each
// time the answers must follow the changes again.
func (w *world) stall(ctx context.Context) (stalls int, err error) {
	period := min(stallPeriod, *duration/3)
	long := period / stallPart
	for {
		if !pause(ctx, period-long) {
			return stalls, nil
		}
		silence := long
		if stalls%3 == 2 {
			silence = time.Duration(longStall * float64(long))
		}
		if !w.link.silence(ctx, silence) {
			return stalls, nil
		}
		stalls++
		if err := w.awaitNews(ctx); err != nil {
			return stalls, err
		}
	}
}

// silence reports whether it lasted for the whole time.
func (l *link) silence(ctx context.Context, long time.Duration) bool {
	l.held.Lock()
	defer l.held.Unlock()
	l.open.Lock()
	defer l.open.Unlock()
	return pause(ctx, long)
}

// pause reports whether the context has not ended meanwhile.
func pause(ctx context.Context, long time.Duration) bool {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
