package kube

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/utils/clock"
)

// patience is how long requests for a kind of object must have failed before
// that is worth a line. A server that has just started refuses everything until
// it has read its own rules.
const patience = time.Second

// report writes the few log lines about an API server: one when something stops
// working and one when it works again, however often it is tried in between.
type report struct {
	log    Logger
	clock  clock.PassiveClock
	server string

	mu      sync.Mutex
	lost    bool
	trouble map[*feed]*trouble
	quiet   map[*feed]bool // kinds whose watches have fallen silent
}

// trouble is a kind of object that cannot be watched.
type trouble struct {
	since   time.Time
	told    bool
	missing bool // what was told is that there is no such kind
}

func newReport(log Logger, c clock.PassiveClock, server string) *report {
	return &report{log: log, clock: c, server: server, trouble: make(map[*feed]*trouble), quiet: make(map[*feed]bool)}
}

// unreachable is told of every request without an answer.
func (r *report) unreachable(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.lost {
		r.log.Warningf("API server %s cannot be reached, trying on: %s", r.server, redact(reason))
	}
	r.lost = true
}

// reachable is told of every answer.
func (r *report) reachable() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost {
		r.log.Infof("API server %s answers again", r.server)
	}
	r.lost = false
}

// failed is told of an error that a list or watch ended with. It says whether
// the trouble is one that has been told.
func (r *report) failed(ctx context.Context, verb string, f *feed, err error) (told bool) {
	if ctx.Err() != nil || passing(err) {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.trouble[f]
	if t == nil {
		t = &trouble{since: r.clock.Now()}
		r.trouble[f] = t
	}
	missing := f.optional && apierrors.IsNotFound(err)
	if t.told && t.missing == missing {
		return true
	}
	if !missing && !isSilent(err) && r.clock.Since(t.since) < patience {
		return false
	}
	t.told, t.missing = true, missing
	r.tell(verb, f, missing, err)
	return true
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
	case t == nil || !t.told:
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

// passing says whether an error is told of elsewhere or is a part of the
// protocol: history that is forgotten, a server that is too busy or starting.
func passing(err error) bool {
	var unanswered *url.Error
	return errors.As(err, &unanswered) ||
		apierrors.IsResourceExpired(err) || apierrors.IsGone(err) ||
		apierrors.IsTooManyRequests(err) ||
		apierrors.IsTimeout(err) || apierrors.IsServiceUnavailable(err)
}

// absent says whether an answer comes from something that stands in front of the
// API server, or from a server that is only just starting.
func absent(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable
}
