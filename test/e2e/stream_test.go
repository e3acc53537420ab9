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
	// firstPort to lastPort are the source ports of a stream.
	firstPort, lastPort = 10000, 60000
	// resolverTimeout is how long a resolver waits for an answer (resolv.conf(5)).
	resolverTimeout = 5 * time.Second
)

// stream is a steady stream of queries over UDP from a Pod, each from a socket of its own
// and sent only once: a lost query is counted, not repeated, and does not delay the next.
//
// The source ports rotate, from one stream of a Pod to the next too. For 30 seconds after the last packet of a flow, connection
// tracking sends it to the same server, and kube-proxy keeps the flows to a terminating Pod
// as long as the Pod counts as serving, which is longer than it serves
// (pkg/proxy/conntrack/cleanup.go in Kubernetes 1.36).
type stream struct {
	question func() *dns.Msg
	correct  func(*dns.Msg) error

	cancel context.CancelFunc
	ended  sync.WaitGroup

	mu       sync.Mutex
	asked    int
	lost     []string // when and why
	answered time.Time
	silence  time.Duration // the longest time without an answer
}

// startStream asks for the address of the Service kubernetes at a rate in queries per
// second, until stop or the end of the test.
func startStream(t *testing.T, from lab.PodNetwork, rate int) *stream {
	t.Helper()
	s := &stream{question: askKubernetes, correct: isKubernetes, answered: time.Now()}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(t.Context())
	s.ended.Go(func() {
		err := cluster.WithinPod(from, func() error { return s.pace(ctx, from, time.Second/time.Duration(rate)) })
		if err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { s.stop() })
	return s
}

// pace asks at the rate, and makes up for delays of a busy machine.
func (s *stream) pace(ctx context.Context, from lab.PodNetwork, interval time.Duration) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for began, given := time.Now(), 0; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		for ; given < int(time.Since(began)/interval) && ctx.Err() == nil; given++ {
			s.ask(nextPort(from))
		}
	}
}

// ports has how many ports the streams of each Pod have used.
var ports struct {
	sync.Mutex
	used map[lab.PodNetwork]int
}

func nextPort(from lab.PodNetwork) int {
	ports.Lock()
	defer ports.Unlock()
	if ports.used == nil {
		ports.used = map[lab.PodNetwork]int{}
	}
	ports.used[from]++
	return firstPort + ports.used[from]%(lastPort-firstPort)
}

// ask sends a query from a port. It must run in the Pod's network, unlike the wait for the
// reply.
func (s *stream) ask(port int) {
	began := time.Now()
	dialer := net.Dialer{LocalAddr: &net.UDPAddr{Port: port}}
	connection, err := dialer.Dial("udp", lab.DNS)
	if err != nil {
		s.note(began, err)
		return
	}
	s.ended.Go(func() {
		defer connection.Close()
		s.note(began, s.exchange(&dns.Conn{Conn: connection}))
	})
}

func (s *stream) exchange(connection *dns.Conn) error {
	client := &dns.Client{Timeout: resolverTimeout}
	reply, _, err := client.ExchangeWithConn(s.question(), connection)
	if err != nil {
		return err
	}
	return s.correct(reply)
}

// note counts a query that was asked at a time.
func (s *stream) note(began time.Time, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if err != nil {
		s.lost = append(s.lost, fmt.Sprintf("asked %s: %v", began.Format(time.StampMilli), err))
		return
	}
	now := time.Now()
	s.silence = max(s.silence, now.Sub(s.answered))
	s.answered = now
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

// longestSilence returns the longest time without an answer, the time since the last one
// included.
func (s *stream) longestSilence() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return max(s.silence, time.Since(s.answered))
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
