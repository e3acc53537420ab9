package kube

import (
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

// Observer counts and measures what a Watcher does. Its methods are called from
// several goroutines and hold up the Watcher, so they must be quick. Look-ups are
// not observed.
//
// A resource is services, namespaces, endpointslices, pods, serviceimports or,
// for the EndpointSlices of the latter, multicluster-endpointslices.
type Observer interface {
	// Programmed is called for a change of an EndpointSlice that DNS can see: how
	// long it took from what its controller says was the cause until the commit.
	// The kind of Service is cluster_ip or headless_with_selector; without a
	// selector there is no such cause. What comes by a list is not told, as it
	// may be hours old, nor are deletions, which have no cause of their own.
	Programmed(serviceKind string, latency time.Duration)

	// Heard is called when a watch brought an event or a bookmark, which comes about
	// once a minute, or a list has ended.
	Heard(resource string, at time.Time)

	// Relisted is called for every list that ended but the first.
	Relisted(resource string)

	// Silent is called for every watch that was given up because nothing came.
	Silent(resource string)

	// Held is called with how many objects of a resource the Watcher holds, after the
	// commit that changed it.
	Held(resource string, objects int)

	// Committed is called for every commit that changed the store.
	Committed()

	// Requested is called for requests to the API server: of a watch when it has been
	// answered, of others when the answer has been read.
	Requested(r Request)
}

// Request is what there is to measure of a request to the API server.
type Request = apiserver.Request

type nopObserver struct{}

func (nopObserver) Programmed(string, time.Duration) {}
func (nopObserver) Heard(string, time.Time)          {}
func (nopObserver) Relisted(string)                  {}
func (nopObserver) Silent(string)                    {}
func (nopObserver) Held(string, int)                 {}
func (nopObserver) Committed()                       {}
func (nopObserver) Requested(Request)                {}
