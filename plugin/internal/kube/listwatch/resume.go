package listwatch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
)

// mostAttempts is how many watches in a row may end soon and bring nothing before everything
// is listed again. Then something lets lists through but no watches, and a list from time to
// time is better than old answers.
const mostAttempts = 20

// mostRefusals is how many watches in a row may be refused right after a list before the log
// says so. After the third one, lists are spaced out up to longestPause: an API server that
// lets us list but not watch would read everything for us again and again.
const (
	mostRefusals = 4
	longestPause = 20 * time.Second
)

// attempts counts the watches in a row that ended soon and brought nothing, although the API
// server had answered another request right before, and those that it refused.
type attempts struct {
	count    atomic.Int32
	refusals atomic.Int32
	told     atomic.Bool
}

// bring records that a watch has brought something or lasted.
func (a *attempts) bring() {
	a.count.Store(0)
	a.refusals.Store(0)
	a.told.Store(false)
}

// turnedAway must be called for a watch that the API server refuses, by its status or by the first
// event. A list follows.
func (l *lister) turnedAway() {
	if l.attempts.refusals.Add(1) == mostRefusals && !l.attempts.told.Swap(true) {
		l.outages.InVain(l.kind.Logged, mostRefusals)
	}
}

// spaceOut waits before a list.
func (l *lister) spaceOut(ctx context.Context) error {
	n := l.attempts.refusals.Load()
	if n < 3 {
		return nil
	}
	return sleep(ctx, l.clock, wait.Jitter(min(time.Second<<min(n, 5), longestPause), 0.5))
}

// outcome returns the error with which a watch that could not begin fails. A reflector lists
// everything again after most errors. It asks again for the same watch, after a pause, if
// the connection was refused, so each error that says nothing about our version is told to
// it as that one.
func (l *lister) outcome(err error) error {
	if l.goesOn(err) {
		return fmt.Errorf("%w: %w", syscall.ECONNREFUSED, err)
	}
	return err
}

// goesOn reports whether a watch that has failed goes on from the version that we have. If
// an API server restarts or a load balancer closes its connections, the watches of every
// node fail together, and lists for all of them would keep the API server busy.
func (l *lister) goesOn(err error) bool { return !refused(err) && !l.inVain() }

// inVain reports whether too many watches have brought nothing, and counts anew then.
func (l *lister) inVain() bool {
	if l.attempts.count.Load() < mostAttempts {
		return false
	}
	l.attempts.count.Store(0)
	if !l.attempts.told.Swap(true) {
		l.outages.InVain(l.kind.Logged, mostAttempts)
	}
	return true
}

// refused reports whether the API server has answered that it will not continue from our
// version, or that we may not watch.
func refused(err error) bool {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return false
	}
	if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
		return true
	}
	code := status.Status().Code
	return http.StatusBadRequest <= code && code < http.StatusInternalServerError &&
		code != http.StatusUnauthorized && code != http.StatusTooManyRequests && code != http.StatusRequestTimeout
}

// heardStore is a Store that does not hear of bookmarks which the API server has not sent.
type heardStore struct {
	Store
	lister *lister
}

// Bookmark passes a bookmark on.
func (s *heardStore) Bookmark(version string) error {
	if s.lister.repeated.CompareAndSwap(version, "") {
		return nil
	}
	return s.Store.Bookmark(version)
}
