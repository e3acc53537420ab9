package listwatch

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

const (
	// streamTries is how often the streaming list of a kind may break off in a row before
	// lists are read in pages.
	streamTries = 2
	// streamPause is how long lists are then read in pages. An API server may be upgraded,
	// or the proxy in front of it repaired.
	streamPause = time.Hour
	// shortWatch is the length below which a watch may not be followed by another at once.
	shortWatch = 5 * time.Second
)

// errPagesOnly makes a reflector read a list in pages.
var errPagesOnly = errors.New("streaming lists break off, reading in pages")

// streaming records what is known about an API server's streaming lists.
type streaming struct {
	outages *apiserver.OutageLog
	clock   clock.PassiveClock

	mu     sync.Mutex
	broken map[apiserver.Kind]int // how many times in a row the streaming lists of a kind broke off
	told   bool                   // it has been logged
	until  time.Time              // until then, lists are read in pages
}

func newStreaming(o *apiserver.OutageLog, c clock.PassiveClock) *streaming {
	return &streaming{outages: o, clock: c, broken: make(map[apiserver.Kind]int)}
}

// possible reports whether a list may be streamed.
func (s *streaming) possible() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.clock.Now().Before(s.until)
}

// complete must be called for every streaming list that reaches its end.
func (s *streaming) complete(k apiserver.Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.broken, k)
	s.told = false
}

// breaksOff must be called for every streaming list that does not reach its end.
func (s *streaming) breaksOff(k apiserver.Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken[k]++; s.broken[k] < streamTries {
		return
	}
	clear(s.broken)
	s.until = s.clock.Now().Add(streamPause)
	if !s.told {
		s.told = true
		s.outages.ReadsPages(k, streamPause)
	}
}

// pace spaces out attempts that a reflector makes without a pause: it waits after an error,
// but not after a watch that ends.
type pace struct {
	clock clock.Clock
	delay func() time.Duration
	last  time.Time
}

func newPace(c clock.Clock) *pace {
	return &pace{clock: c, delay: backoff.DelayWithReset(c, 2*longestBackoff)}
}

// next waits until the next attempt may begin.
func (p *pace) next(ctx context.Context) error {
	if since := p.clock.Since(p.last); !p.last.IsZero() && since < shortWatch {
		if err := sleep(ctx, p.clock, p.delay()-since); err != nil {
			return err
		}
	}
	p.last = p.clock.Now()
	return nil
}

func sleep(ctx context.Context, c clock.Clock, d time.Duration) error {
	timer := c.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
