package kube

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
)

// patience is how long requests for a kind of object must have failed before
// that is worth a line. A server that has just started refuses everything until
// it has read its own rules.
const patience = time.Second

// protocolPatience is the same for errors that are a part of the protocol, such as
// history that is forgotten. A new list settles them.
const protocolPatience = 30 * time.Second

// maxReasons bounds how many reasons of one outage have a line.
const maxReasons = 8

// report writes the few log lines about an API server: one when something stops
// working and one when it works again, however often it is tried in between.
type report struct {
	log    Logger
	clock  clock.PassiveClock
	server string

	mu      sync.Mutex
	lost    reasons              // why the server cannot be reached
	busy    map[string]time.Time // paths that are refused because of too many requests, and since when
	told    bool                 // that the server refuses requests
	trouble map[*feed]*trouble
	quiet   map[*feed]bool // kinds whose watches have fallen silent
}

// trouble is a kind of object that cannot be watched.
type trouble struct {
	seen    map[string]time.Time // reasons, and since when
	told    reasons
	missing bool // what was told last is that there is no such kind
}

// reasons are those that have been told.
type reasons map[string]bool

// reasonKey is a reason without what differs each time: ports, times, counts.
func reasonKey(text string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, text)
}

// add reports whether a reason is new.
func (r reasons) add(key string) bool {
	if r[key] || len(r) >= maxReasons {
		return false
	}
	r[key] = true
	return true
}

func newReport(log Logger, c clock.PassiveClock, server string) *report {
	return &report{log: log, clock: c, server: server, lost: make(reasons), busy: make(map[string]time.Time), trouble: make(map[*feed]*trouble), quiet: make(map[*feed]bool)}
}

// unreachable is told of every request without an answer.
func (r *report) unreachable(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost.add(reasonKey(reason)) {
		r.log.Warningf("API server %s cannot be reached, trying on: %s", r.server, redact(reason))
	}
}

// reachable is told of every answer.
func (r *report) reachable() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.lost) > 0 {
		r.log.Infof("API server %s answers again", r.server)
	}
	clear(r.lost)
}

// refused is told of every request that the server has no room for, and accepted
// of every other one that it has answered. A path is refused until another answer
// comes on it.
func (r *report) refused(path, status string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.busy[path].IsZero() {
		r.busy[path] = r.clock.Now()
	}
	if !r.told && r.clock.Since(r.busy[path]) >= patience {
		r.told = true
		r.log.Warningf("API server %s has too many requests and refuses ours, trying on: %s", r.server, status)
	}
}

func (r *report) accepted(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.busy, path)
	if r.told && len(r.busy) == 0 {
		r.told = false
		r.log.Infof("API server %s takes requests again", r.server)
	}
}

// failed is told of an error that a list or watch ended with. It says whether
// the trouble is one that has been told.
func (r *report) failed(ctx context.Context, verb string, f *feed, err error) (told bool) {
	if ctx.Err() != nil || toldElsewhere(err) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.trouble[f]
	if t == nil {
		t = &trouble{seen: make(map[string]time.Time), told: make(reasons)}
		r.trouble[f] = t
	}
	missing := f.optional && apierrors.IsNotFound(err)
	key := reasonKey(err.Error())
	if t.lasts(key, r.clock.Now(), leniency(err, missing)) && t.told.add(key) {
		t.missing = missing
		r.tell(verb, f, missing, err)
	}
	return len(t.told) > 0
}

// lasts reports whether a reason has been there for a while.
func (t *trouble) lasts(key string, now time.Time, leniency time.Duration) bool {
	if _, ok := t.seen[key]; !ok && len(t.seen) < maxReasons {
		t.seen[key] = now
	}
	since, ok := t.seen[key]
	return ok && now.Sub(since) >= leniency
}

// leniency returns how long an error must last before it is worth a line.
func leniency(err error, missing bool) time.Duration {
	switch {
	case missing || isSilent(err):
		return 0
	case apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || apierrors.IsTimeout(err):
		return protocolPatience
	default:
		return patience
	}
}

func (r *report) tell(verb string, f *feed, missing bool, err error) {
	group := f.versions[0].Group
	switch {
	case missing:
		r.log.Warningf("the API server has no %s.%s, going on without: they are watched when their CustomResourceDefinition is there",
			f.resource, group)
	case apierrors.IsForbidden(err):
		r.log.Errorf("not allowed to %s %s: a ClusterRole must grant the verbs list and watch on resource %q in apiGroup %q: %s",
			verb, f.name, f.resource, group, redact(err.Error()))
	default:
		r.log.Errorf("cannot %s %s: %s", verb, f.name, redact(err.Error()))
	}
}

// watched is told of every watch that began: now the kind is followed.
func (r *report) watched(f *feed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.trouble[f]
	delete(r.trouble, f)
	switch {
	case t == nil || len(t.told) == 0:
	case t.missing:
		r.log.Infof("the API server has %s.%s now", f.resource, f.versions[0].Group)
	default:
		r.log.Infof("%s can be watched again", f.name)
	}
}

// silent is told of a watch that was given up because nothing has come of it, and
// whether bookmarks can be expected of the server.
func (r *report) silent(f *feed, after time.Duration, expected bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !expected {
		delete(r.quiet, f)
		r.log.Infof("API server %s sends no bookmarks on the watch of %s: should it fall silent, that is seen at its end, after %s at most",
			r.server, f.name, longestWatch)
		return
	}
	if len(r.quiet) == 0 {
		r.log.Warningf("API server %s has sent nothing on the watch of %s for %s, not even the bookmark that was asked for: watching anew over a new connection",
			r.server, f.name, after)
	}
	r.quiet[f] = true
}

// heard is told of everything that comes by a watch.
func (r *report) heard(f *feed) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.quiet[f] {
		return
	}
	delete(r.quiet, f)
	if len(r.quiet) == 0 {
		r.log.Infof("API server %s sends events again", r.server)
	}
}

// breaksOff is told when lists are no longer streamed.
func (r *report) breaksOff(f *feed) {
	r.log.Warningf("API server %s breaks off streaming lists of %s before their end: lists are read in pages for %s", r.server, f.name, streamPause)
}

// toldElsewhere reports whether an error is told of where the answer is seen.
func toldElsewhere(err error) bool {
	var unanswered *url.Error
	return errors.As(err, &unanswered) || apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err)
}

// absent says whether an answer comes from something that stands in front of the
// API server, or from a server that is only just starting.
func absent(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable
}
