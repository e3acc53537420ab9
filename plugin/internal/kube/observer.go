package kube

import (
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

// Observer counts and measures what a Watcher does. Several goroutines call its methods and
// wait for them, so the methods must be quick and safe for concurrent use. Look-ups are not
// observed.
//
// A resource is one of services, namespaces, endpointslices, pods, serviceimports and
// multicluster-endpointslices (the EndpointSlices of ServiceImports).
type Observer interface {
	// Programmed reports a change of an EndpointSlice that DNS can see, with the time from
	// its cause, as the slice's controller reports it, to the commit. serviceKind is
	// cluster_ip or headless_with_selector; a Service without a selector has no controller
	// to report a cause. Objects from lists are not reported, because their causes may be
	// hours old, nor are deletions, which have no reported cause.
	Programmed(serviceKind string, latency time.Duration)

	// Heard reports that a watch brought an event or a bookmark (about one a minute), or
	// that a list ended.
	Heard(resource string, at time.Time)

	// Relisted reports that a list ended, for every list of a resource but the first.
	Relisted(resource string)

	// Silent reports that a watch was closed because nothing arrived on it.
	Silent(resource string)

	// Held reports how many objects of a resource the Watcher has, after each commit that
	// changed the number.
	Held(resource string, objects int)

	// Contested reports how many published names several objects have, each otherwise, after each
	// change of the number.
	Contested(names int)

	// Committed reports a commit that changed the store.
	Committed()

	// Requested reports a request to the API server: a watch when its answer begins, any
	// other request when its answer has been read.
	Requested(r Request)
}

// Request has the measurements of one request to the API server.
type Request = apiserver.Request

type nopObserver struct{}

func (nopObserver) Programmed(string, time.Duration) {}
func (nopObserver) Heard(string, time.Time)          {}
func (nopObserver) Relisted(string)                  {}
func (nopObserver) Silent(string)                    {}
func (nopObserver) Held(string, int)                 {}
func (nopObserver) Contested(int)                    {}
func (nopObserver) Committed()                       {}
func (nopObserver) Requested(Request)                {}
