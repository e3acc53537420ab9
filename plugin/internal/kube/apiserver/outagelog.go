package apiserver

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

// An OutageLog writes the few log lines about an API server: one when something stops
// working and one when it works again, however often it is tried in between.
type OutageLog struct {
	log    Logger
	clock  clock.PassiveClock
	server string

	mu      sync.Mutex
	lost    reasons              // why the server cannot be reached
	busy    map[string]time.Time // paths that are refused because of too many requests, and since when
	told    bool                 // that the server refuses requests
	trouble map[Kind]*trouble
	quiet   map[Kind]bool // kinds whose watches have fallen silent
}

// A Kind is a kind of object, as the log names it.
type Kind struct {
	Name            string // of the watch, in the plural
	Group, Resource string
	Optional        bool // the server may not have it
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

func newOutageLog(log Logger, c clock.PassiveClock, server string) *OutageLog {
	return &OutageLog{
		log:     log,
		clock:   c,
		server:  server,
		lost:    make(reasons),
		busy:    make(map[string]time.Time),
		trouble: make(map[Kind]*trouble),
		quiet:   make(map[Kind]bool),
	}
}

// unreachable must be called for every request without an answer.
func (o *OutageLog) unreachable(reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lost.add(reasonKey(reason)) {
		o.log.Warningf("API server %s cannot be reached, trying on: %s", o.server, redact(reason))
	}
}

// reachable must be called for every answer.
func (o *OutageLog) reachable() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.lost) > 0 {
		o.log.Infof("API server %s answers again", o.server)
	}
	clear(o.lost)
}

// refused must be called for every request that the server refuses because it has
// too many, and accepted for every other answer. A path is refused until another
// answer comes on it.
func (o *OutageLog) refused(path, status string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.busy[path].IsZero() {
		o.busy[path] = o.clock.Now()
	}
	if !o.told && o.clock.Since(o.busy[path]) >= patience {
		o.told = true
		o.log.Warningf("API server %s has too many requests and refuses ours, trying on: %s", o.server, status)
	}
}

func (o *OutageLog) accepted(path string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.busy, path)
	if o.told && len(o.busy) == 0 {
		o.told = false
		o.log.Infof("API server %s takes requests again", o.server)
	}
}

// Failed must be called with every error that a list or watch ends with. It
// reports whether the log tells of the trouble of this kind.
func (o *OutageLog) Failed(ctx context.Context, verb string, k Kind, err error) (told bool) {
	if ctx.Err() != nil || toldElsewhere(err) {
		return false
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.trouble[k]
	if t == nil {
		t = &trouble{seen: make(map[string]time.Time), told: make(reasons)}
		o.trouble[k] = t
	}
	missing := k.Optional && apierrors.IsNotFound(err)
	key := reasonKey(err.Error())
	if t.lasts(key, o.clock.Now(), leniency(err, missing)) && t.told.add(key) {
		t.missing = missing
		o.tell(verb, k, missing, err)
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
	case missing || IsSilent(err):
		return 0
	case apierrors.IsResourceExpired(err) || apierrors.IsGone(err) || apierrors.IsTimeout(err):
		return protocolPatience
	default:
		return patience
	}
}

func (o *OutageLog) tell(verb string, k Kind, missing bool, err error) {
	group := k.Group
	switch {
	case missing:
		o.log.Warningf("the API server has no %s.%s, going on without: they are watched when their CustomResourceDefinition is there",
			k.Resource, group)
	case apierrors.IsForbidden(err):
		o.log.Errorf("not allowed to %s %s: a ClusterRole must grant the verbs list and watch on resource %q in apiGroup %q: %s",
			verb, k.Name, k.Resource, group, redact(err.Error()))
	default:
		o.log.Errorf("cannot %s %s: %s", verb, k.Name, redact(err.Error()))
	}
}

// Watched must be called for every watch that begins: the kind is followed then.
func (o *OutageLog) Watched(k Kind) {
	o.mu.Lock()
	defer o.mu.Unlock()
	t := o.trouble[k]
	delete(o.trouble, k)
	switch {
	case t == nil || len(t.told) == 0:
	case t.missing:
		o.log.Infof("the API server has %s.%s now", k.Resource, k.Group)
	default:
		o.log.Infof("%s can be watched again", k.Name)
	}
}

// Silent must be called for every watch that is given up because nothing came.
func (o *OutageLog) Silent(k Kind, after time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.quiet) == 0 {
		o.log.Warningf("API server %s has sent nothing on the watch of %s for %s, not even the bookmark that was asked for: watching anew over a new connection",
			o.server, k.Name, after)
	}
	o.quiet[k] = true
}

// SendsNothing must be called once for a kind whose watches bring nothing, which can
// be right.
func (o *OutageLog) SendsNothing(k Kind, after time.Duration) {
	o.log.Warningf("API server %s has sent nothing on two watches of %s in a row, for %s each, not even the bookmarks that were asked for: "+
		"it sends none, or it is silent; watching anew from time to time", o.server, k.Name, after)
}

// Heard must be called for everything that comes by a watch.
func (o *OutageLog) Heard(k Kind) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.quiet[k] {
		return
	}
	delete(o.quiet, k)
	if len(o.quiet) == 0 {
		o.log.Infof("API server %s sends events again", o.server)
	}
}

// ReadsPages must be called when lists are no longer streamed, for a while.
func (o *OutageLog) ReadsPages(k Kind, pause time.Duration) {
	o.log.Warningf("API server %s breaks off streaming lists of %s before their end: lists are read in pages for %s", o.server, k.Name, pause)
}

// toldElsewhere reports whether noteAnswer has already told the log of an error.
func toldElsewhere(err error) bool {
	var unanswered *url.Error
	return errors.As(err, &unanswered) || apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err)
}

// absent reports whether an answer comes from something that stands in front of the
// API server, or from a server that is only just starting.
func absent(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable
}
