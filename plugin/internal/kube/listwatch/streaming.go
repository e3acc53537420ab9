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
	// streamTries is how often a streaming list may break off before lists are
	// read in pages.
	streamTries = 2
	// streamPause is how long lists are read in pages then: an API server is
	// upgraded, and the proxy before it is mended.
	streamPause = time.Hour
	// shortWatch is a watch that ends too soon to be followed by another at once.
	shortWatch = 5 * time.Second
)

// errPagesOnly makes a reflector read a list in pages.
var errPagesOnly = errors.New("streaming lists break off, reading in pages")

// streaming is what is known of an API server's streaming lists.
type streaming struct {
	outages *apiserver.OutageLog
	clock   clock.PassiveClock

	mu     sync.Mutex
	broken map[apiserver.Kind]int // times in a row
	told   bool
	until  time.Time // lists are read in pages
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

// complete must be called for every streaming list that comes to its end.
func (s *streaming) complete(k apiserver.Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.broken, k)
	s.told = false
}

// breaksOff must be called for every one that does not.
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

// pace keeps attempts apart that a reflector makes one right after the other: it
// waits after an error, but not after a watch that ends.
type pace struct {
	clock clock.Clock
	delay func() time.Duration
	last  time.Time
}

func newPace(c clock.Clock) *pace {
	return &pace{clock: c, delay: backoff.DelayWithReset(c, 2*longestBackoff)}
}

// next waits until it is time for another attempt.
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
