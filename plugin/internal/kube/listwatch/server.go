package listwatch

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// longestBackoff is how long the API server can be back at most before it is asked
// again. A few small requests in that time are no load, and one that asks for more
// time by Retry-After gets it.
const longestBackoff = 5 * time.Second

// backoff is client-go's, but not as long: while the API server is back and we
// wait, old answers are served. Jitter makes a wait up to twice as long.
var backoff = wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 1, Steps: 10, Cap: longestBackoff / 2}

// Kind is what to list and watch.
type Kind struct {
	Logged             apiserver.Kind  // its Resource is that of the URLs too
	Fields             string          // a selector
	Labels             labels.Selector // likewise
	Decode             slimpb.Decoder  // of an object in protobuf; nil for a kind that there is in JSON alone
	NewObject, NewList func() runtime.Object
}

// Store takes what lists and watches bring. The objects of a list come by Begin, Put
// and Drop, and the list's end by Replace, without any object. What comes behind the
// list comes by the methods of a reflector's store.
type Store interface {
	cache.ReflectorStore
	cache.ReflectorBookmarkStore

	// Begin begins a list. One that was begun before and has not ended is forgotten.
	Begin()
	// Put takes an object of a list, and Drop one that is gone before the list's end.
	Put(obj metav1.Object)
	Drop(obj metav1.Object)
	// Waive says that an optional kind cannot be had.
	Waive()
	// Silent says that a watch or a request was given up because nothing came.
	Silent()
}

// Server is an API server, and what its kinds have in common.
type Server struct {
	// Parameters for tests: no streaming lists, and bookmarks taken for granted.
	Plain, Bookmarks bool

	client    *apiserver.Client
	clock     clock.WithTicker
	limits    Limits
	streaming *streaming
	busy      sync.RWMutex // read-locked while a list is under way
}

// NewServer makes a Server that is asked by client.
func NewServer(client *apiserver.Client, c clock.WithTicker, limits Limits) *Server {
	return &Server{client: client, clock: c, limits: limits, streaming: newStreaming(client.Outages, c)}
}

// Wait waits for the lists that are under way: Follow does not.
func (s *Server) Wait() {
	s.busy.Lock()
	defer s.busy.Unlock()
}

// Follow lists and watches a kind until ctx ends. There is a client for each version
// of the kind, the best one first.
func (s *Server) Follow(ctx context.Context, kind Kind, clients []rest.Interface, to Store) {
	logger := logr.Discard()
	l := s.lister(kind, clients, to)
	lw := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc:  l.list,
		WatchFuncWithContext: l.watch,
	}, l)
	cache.NewReflectorWithOptions(lw, kind.NewObject(), to, cache.ReflectorOptions{
		Name:    kind.Logged.Name,
		Logger:  &logger,
		Backoff: new(backoff),
		Clock:   endingClock{ctx: ctx},
	}).RunWithContext(ctx)
}

func (s *Server) lister(kind Kind, clients []rest.Interface, to Store) *lister {
	l := &lister{
		kind:      kind,
		store:     to,
		clients:   clients,
		outages:   s.client.Outages,
		clock:     s.clock,
		limits:    s.limits,
		redial:    s.client.Redial,
		renew:     s.client.Renew,
		busy:      &s.busy,
		streaming: s.streaming,
		streams:   newPace(s.clock),
		watches:   newPace(s.clock),
		plain:     s.Plain,
	}
	l.bookmarks.seen = s.Bookmarks
	return l
}

// endingClock ends waits with a context. Between two attempts to begin a
// streaming list a reflector waits for nothing but the time.
type endingClock struct {
	clock.RealClock
	ctx context.Context
}

// After waits for the duration, or until the context ends.
func (c endingClock) After(d time.Duration) <-chan time.Time {
	over := make(chan time.Time)
	timer := time.NewTimer(d)
	go func() {
		defer close(over)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-c.ctx.Done():
		}
	}()
	return over
}
