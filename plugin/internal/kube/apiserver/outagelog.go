package apiserver

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
)

// patience is how long requests for a kind of object must have failed before that is
// logged. A server that has just started refuses everything until it has read its own
// rules.
const patience = time.Second

// protocolPatience is the same for errors that are a normal part of the protocol, such as
// expired history. A new list resolves them.
const protocolPatience = 30 * time.Second

// absence is longer than the time until a request that a proxy has answered is sent again.
const absence = 2 * longestDelay * time.Second

// maxReasons is the largest number of reasons that are logged for one outage.
const maxReasons = 8

// An OutageLog writes the log lines about an API server: one when something stops working
// and one when it works again, however many attempts fail in between.
type OutageLog struct {
	log      Logger
	clock    clock.PassiveClock
	server   string
	noAnswer func() // called for every request without an answer

	mu      sync.Mutex
	lost    reasons              // logged reasons why the server cannot be reached
	absent  map[string]time.Time // requests that a proxy answered in the server's place, and when
	busy    map[string]time.Time // requests of which the server has too many, and since when
	told    bool                 // it has been logged that the server refuses requests
	trouble map[Kind]*trouble
	quiet   map[Kind]bool // kinds whose watches are silent
}

// A Kind is a kind of object, as the log names it.
type Kind struct {
	Name            string // name of the resource, in the plural
	Group, Resource string
	Optional        bool // the server may not have it
}

// trouble is a kind of object that cannot be watched.
type trouble struct {
	seen    map[string]time.Time // reasons, and since when each is known
	told    reasons
	missing bool // the last logged reason is that the server does not have the kind
}

// reasons are the reasons of an outage that have been logged.
type reasons map[string]bool

// reasonKey returns a reason without its digits, because ports, times and counts differ
// each time.
func reasonKey(text string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, text)
}

// add adds a reason and reports whether it was new.
func (r reasons) add(key string) bool {
	if r[key] || len(r) >= maxReasons {
		return false
	}
	r[key] = true
	return true
}

func newOutageLog(log Logger, c clock.PassiveClock, server string) *OutageLog {
	return &OutageLog{
		log:      log,
		clock:    c,
		server:   server,
		noAnswer: func() {},
		lost:     make(reasons),
		absent:   make(map[string]time.Time),
		busy:     make(map[string]time.Time),
		trouble:  make(map[Kind]*trouble),
		quiet:    make(map[Kind]bool),
	}
}

// unreachable must be called for every request without an answer.
func (o *OutageLog) unreachable(reason string) {
	o.noAnswer()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.lost.add(reasonKey(reason)) {
		o.log.Warningf("API server %s cannot be reached, retrying: %s", o.server, redact(reason))
	}
}

// unavailable must be called for every request that a proxy answers in the server's place. A
// proxy may do that to watches and let lists through, so the outage lasts until each such
// request has another answer.
func (o *OutageLog) unavailable(request, status string) {
	o.unreachable(status)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.absent[request] = o.clock.Now()
}

// reachable must be called for every answer of the server itself.
func (o *OutageLog) reachable(request string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.absent, request)
	maps.DeleteFunc(o.absent, func(_ string, at time.Time) bool { return o.clock.Since(at) > absence }) // no longer sent
	if len(o.absent) > 0 {
		return
	}
	if len(o.lost) > 0 {
		o.log.Infof("API server %s answers again", o.server)
	}
	clear(o.lost)
}

// refused must be called for every request that the server refuses because it has too many,
// and accepted for every other answer. A request counts as refused until it gets another
// answer.
func (o *OutageLog) refused(request, status string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.busy[request].IsZero() {
		o.busy[request] = o.clock.Now()
	}
	if !o.told && o.clock.Since(o.busy[request]) >= patience {
		o.told = true
		o.log.Warningf("API server %s refuses our requests because it has too many, retrying: %s", o.server, status)
	}
}

func (o *OutageLog) accepted(request string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.busy, request)
	if o.told && len(o.busy) == 0 {
		o.told = false
		o.log.Infof("API server %s accepts requests again", o.server)
	}
}

// Failed must be called with every error that ends a list or watch. It reports whether any
// trouble with this kind has been logged.
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
		o.write(verb, k, missing, err)
	}
	return len(t.told) > 0
}

// lasts reports whether a reason has been known for longer than leniency.
func (t *trouble) lasts(key string, now time.Time, leniency time.Duration) bool {
	if _, ok := t.seen[key]; !ok && len(t.seen) < maxReasons {
		t.seen[key] = now
	}
	since, ok := t.seen[key]
	return ok && now.Sub(since) >= leniency
}

// leniency returns how long an error must last before it is logged.
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

func (o *OutageLog) write(verb string, k Kind, missing bool, err error) {
	group := k.Group
	switch {
	case missing:
		o.log.Warningf("the API server has no %s.%s, continuing without them: they will be watched once their CustomResourceDefinition is installed",
			k.Resource, group)
	case apierrors.IsForbidden(err):
		o.log.Errorf("not allowed to %s %s: a ClusterRole must grant the verbs list and watch on resource %q in apiGroup %q: %s",
			verb, k.Name, k.Resource, group, redact(err.Error()))
	default:
		o.log.Errorf("cannot %s %s: %s", verb, k.Name, redact(err.Error()))
	}
}

// Watched must be called for every watch that begins, which ends the trouble with its kind.
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

// Silent must be called for every watch that is closed because nothing arrived on it.
func (o *OutageLog) Silent(k Kind, after time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.quiet) == 0 {
		o.log.Warningf("API server %s has sent nothing on the watch of %s for %s, not even the requested bookmark: starting a new watch over a new connection",
			o.server, k.Name, after)
	}
	o.quiet[k] = true
}

// SendsNothing must be called once for a kind whose watches bring nothing. That can be
// normal.
func (o *OutageLog) SendsNothing(k Kind, after time.Duration) {
	o.log.Warningf("API server %s has sent nothing on two watches of %s in a row, for %s each, not even the requested bookmarks: "+
		"either it never sends bookmarks or the connection is dead; starting a new watch from time to time", o.server, k.Name, after)
}

// InVain must be called when a kind is listed again because its watches end at once.
func (o *OutageLog) InVain(k Kind, watches int) {
	o.log.Warningf("API server %s has ended %d watches of %s in a row before anything arrived: listing everything again from time to time", o.server, watches, k.Name)
}

// Heard must be called for everything that arrives on a watch.
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

// ReadsPages must be called when lists are read in pages for a while and no longer
// streamed.
func (o *OutageLog) ReadsPages(k Kind, pause time.Duration) {
	o.log.Warningf("API server %s breaks off streaming lists of %s before their end: lists are read in pages for %s", o.server, k.Name, pause)
}

// toldElsewhere reports whether noteAnswer has already passed an error to the log.
func toldElsewhere(err error) bool {
	var unanswered *url.Error
	if errors.As(err, &unanswered) {
		return !errors.Is(err, errRedirects) // each redirect was an answer
	}
	var answered apierrors.APIStatus
	return errors.As(err, &answered) && isAbsent(int(answered.Status().Code)) || apierrors.IsTooManyRequests(err) || apierrors.IsServiceUnavailable(err)
}

// isAbsent reports whether an answer comes from a proxy in front of the API server, or from a
// server that is starting.
func isAbsent(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable
}
