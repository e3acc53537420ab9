package kube

import (
	"time"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

// Observer is told what a Watcher does, for metrics. Its methods are called from
// several goroutines and hold up the Watcher, so they must be quick. Nothing is
// told of look-ups.
//
// A resource is services, namespaces, endpointslices, pods, serviceimports or,
// for the EndpointSlices of the latter, multicluster-endpointslices.
type Observer interface {
	// Programmed is told of a change of an EndpointSlice that DNS can see: how
	// long it took from what its controller says was the cause until the commit.
	// The kind of Service is cluster_ip or headless_with_selector; without a
	// selector there is no such cause. What comes by a list is not told, as it
	// may be hours old, nor are deletions, which have no cause of their own.
	Programmed(serviceKind string, latency time.Duration)

	// Heard is told when a watch brought an event or a bookmark, which comes about
	// once a minute, or a list has ended.
	Heard(resource string, at time.Time)

	// Relisted is told of every list that ended but the first.
	Relisted(resource string)

	// Silent is told of every watch that was given up because nothing came.
	Silent(resource string)

	// Held is told how many objects of a resource the Watcher holds, after the
	// commit that changed it.
	Held(resource string, objects int)

	// Committed is told of every commit that changed the store.
	Committed()

	// Requested is told of requests to the API server: of a watch when it has been
	// answered, of others when the answer has been read.
	Requested(r Request)
}

// Request is what there is to measure of a request to the API server.
type Request = apiserver.Request

type inattention struct{}

func (inattention) Programmed(string, time.Duration) {}
func (inattention) Heard(string, time.Time)          {}
func (inattention) Relisted(string)                  {}
func (inattention) Silent(string)                    {}
func (inattention) Held(string, int)                 {}
func (inattention) Committed()                       {}
func (inattention) Requested(Request)                {}
