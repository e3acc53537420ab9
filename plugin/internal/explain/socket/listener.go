package socket

import (
	"context"
	"io"
	"net"
	"sync"
	"time"
)

// Listener answers questions until it is closed.
type Listener struct {
	listener net.Listener
	answer   func(ctx context.Context, request []byte) []byte
	places   chan struct{}
	stop     context.CancelFunc
	done     sync.WaitGroup
}

// Listen begins to answer the questions of commands with what a function returns for them.
func Listen(answer func(ctx context.Context, request []byte) []byte) (*Listener, error) {
	listener, err := listen()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	l := &Listener{listener: listener, answer: answer, places: make(chan struct{}, maxConnections), stop: stop}
	l.done.Go(func() { l.accept(ctx) })
	return l, nil
}

// Close ends the listener and the questions that are not answered yet.
func (l *Listener) Close() {
	l.stop()
	_ = l.listener.Close()
	l.done.Wait()
}

// accept closes a connection that has no place at once, so that nobody can make the server wait.
func (l *Listener) accept(ctx context.Context) {
	for {
		c, err := l.listener.Accept()
		if err != nil {
			return // a unix socket accepts until it is closed
		}
		select {
		case l.places <- struct{}{}:
			l.done.Go(func() {
				defer func() { <-l.places }()
				l.serve(ctx, c)
			})
		default:
			_ = c.Close()
		}
	}
}

// serve answers one connection.
func (l *Listener) serve(ctx context.Context, c net.Conn) {
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = c.Close() })()
	if !trusted(c, 0) {
		return
	}
	_ = c.SetReadDeadline(time.Now().Add(readPatience))
	request, err := io.ReadAll(io.LimitReader(c, maxRequest+1))
	if err != nil || len(request) > maxRequest {
		return
	}
	reply := l.answer(ctx, request)
	if len(reply) > maxReply {
		return
	}
	_ = c.SetWriteDeadline(time.Now().Add(readPatience))
	_, _ = c.Write(reply)
}
