//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/lab"
)

const (
	// streamWorkers is how many goroutines ask at the same time, so that a lost query does
	// not delay the others.
	streamWorkers = 16
	// firstPort to lastPort are the source ports of a stream.
	firstPort, lastPort = 10000, 60000
	// resolverTimeout is how long a resolver waits for an answer (resolv.conf(5)).
	resolverTimeout = 5 * time.Second
)

// stream is a steady stream of queries over UDP from a Pod, each from a socket of its own
// and sent only once: a lost query is counted, not repeated.
//
// The source ports rotate. For 30 seconds after the last packet of a flow, connection
// tracking sends it to the same server, and kube-proxy keeps the flows to a terminating Pod
// as long as the Pod counts as serving, which is longer than it serves
// (pkg/proxy/conntrack/cleanup.go in Kubernetes 1.36).
type stream struct {
	from     lab.PodNetwork
	question func() *dns.Msg
	correct  func(*dns.Msg) error

	turns  chan struct{}
	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu    sync.Mutex
	port  int
	asked int
	lost  []string // when and why
}

// startStream asks for the address of the Service kubernetes at a rate in queries per
// second, until stop or the end of the test.
func startStream(t *testing.T, from lab.PodNetwork, rate int) *stream {
	t.Helper()
	s := &stream{from: from, question: askKubernetes, correct: isKubernetes, turns: make(chan struct{})}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(t.Context())
	for range streamWorkers {
		s.ended.Go(func() {
			if err := cluster.WithinPod(from, s.work); err != nil {
				t.Error(err)
			}
		})
	}
	s.ended.Go(func() { s.pace(ctx, time.Second/time.Duration(rate)) })
	t.Cleanup(func() { s.stop() })
	return s
}

// pace tells the workers when to ask, and makes up for delays of a busy machine. It ends
// the workers by closing the channel.
func (s *stream) pace(ctx context.Context, interval time.Duration) {
	defer close(s.turns)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for began, given := time.Now(), 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		for ; given < int(time.Since(began)/interval); given++ {
			select {
			case s.turns <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}
}

func (s *stream) work() error {
	for range s.turns {
		began := time.Now()
		err := s.ask()
		s.mu.Lock()
		s.asked++
		if err != nil {
			s.lost = append(s.lost, fmt.Sprintf("asked %s: %v", began.Format(time.StampMilli), err))
		}
		s.mu.Unlock()
	}
	return nil
}

func (s *stream) ask() error {
	dialer := net.Dialer{LocalAddr: &net.UDPAddr{Port: s.nextPort()}}
	connection, err := dialer.Dial("udp", lab.DNS)
	if err != nil {
		return err
	}
	defer connection.Close()
	client := &dns.Client{Timeout: resolverTimeout}
	reply, _, err := client.ExchangeWithConn(s.question(), &dns.Conn{Conn: connection})
	if err != nil {
		return err
	}
	return s.correct(reply)
}

func (s *stream) nextPort() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.port = (s.port + 1) % (lastPort - firstPort)
	return firstPort + s.port
}

// await waits until so many queries have been asked.
func (s *stream) await(t *testing.T, asked int) {
	t.Helper()
	eventually(t, func(context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.asked < asked {
			return fmt.Errorf("%d queries asked, want %d", s.asked, asked)
		}
		return nil
	})
}

func (s *stream) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// stop ends the stream and returns how many queries were asked, and which were lost.
func (s *stream) stop() (asked int, lost []string) {
	s.cancel()
	s.ended.Wait()
	return s.asked, s.lost
}

// stopWithoutLoss ends the stream and fails the test if a query was lost.
func (s *stream) stopWithoutLoss(t *testing.T) {
	t.Helper()
	asked, lost := s.stop()
	t.Logf("%d queries, %d lost", asked, len(lost))
	for i, why := range lost {
		if i == 20 {
			t.Fatal("and so on")
		}
		t.Error(why)
	}
}

const kubernetesName = "kubernetes.default.svc.cluster.local."

func askKubernetes() *dns.Msg { return new(dns.Msg).SetQuestion(kubernetesName, dns.TypeA) }

func isKubernetes(reply *dns.Msg) error {
	if reply.Rcode != dns.RcodeSuccess || len(reply.Answer) != 1 {
		return fmt.Errorf("answered %s with %v", dns.RcodeToString[reply.Rcode], reply.Answer)
	}
	if a, ok := reply.Answer[0].(*dns.A); !ok || a.A.String() != "10.96.0.1" {
		return errors.New("answered " + reply.Answer[0].String())
	}
	return nil
}
