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

// longestBackoff is the longest wait before the next request to an API server that has
// failed. A few small requests in that time are no load, and a server that asks for more
// time by Retry-After gets it.
const longestBackoff = 5 * time.Second

// backoff is shorter than client-go's, because clients get old answers while we wait for a
// server that works again. Jitter makes a wait up to twice as long.
var backoff = wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 1, Steps: 10, Cap: longestBackoff / 2}

// Kind is a kind of object to list and watch.
type Kind struct {
	Name               string          // in the objects
	Logged             apiserver.Kind  // its Resource is also the one in URLs
	Fields             string          // a field selector
	Labels             labels.Selector // a label selector
	Decode             slimpb.Decoder  // for objects in protobuf; nil for a kind that only exists in JSON
	NewObject, NewList func() runtime.Object
}

// Store receives what lists and watches bring. The objects of a list arrive by Begin, Put
// and Drop, and the end of the list by Replace, without objects. Events after the list
// arrive by the methods of a reflector's store.
type Store interface {
	cache.ReflectorStore
	cache.ReflectorBookmarkStore

	// Begin begins a list. It abandons a list that has begun and not ended.
	Begin()
	// Put puts an object of a list, and Drop removes one that was deleted before the end of
	// the list.
	Put(obj metav1.Object)
	Drop(obj metav1.Object)
	// Waive reports that an optional kind is not available.
	Waive()
	// Silent reports that a watch or a request was abandoned because nothing arrived.
	Silent()
}

// Server is an API server, with the state that its kinds share.
type Server struct {
	// Parameters for tests: no streaming lists, and bookmarks expected from the start.
	Plain, Bookmarks bool

	client    *apiserver.Client
	clock     clock.WithTicker
	limits    Limits
	streaming *streaming
	busy      sync.RWMutex // read-locked while a list is being read
}

// NewServer makes a Server that sends its requests through client.
func NewServer(client *apiserver.Client, c clock.WithTicker, limits Limits) *Server {
	return &Server{client: client, clock: c, limits: limits, streaming: newStreaming(client.Outages, c)}
}

// Wait waits for the lists that are being read. Follow does not.
func (s *Server) Wait() {
	s.busy.Lock()
	defer s.busy.Unlock()
}

// Follow lists and watches a kind until ctx ends. clients has a client for each version of
// the kind, the best one first.
func (s *Server) Follow(ctx context.Context, kind Kind, clients []rest.Interface, to Store) {
	logger := logr.Discard()
	l := s.lister(kind, clients, to)
	lw := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc:  l.list,
		WatchFuncWithContext: l.watch,
	}, l)
	cache.NewReflectorWithOptions(lw, kind.NewObject(), &heardStore{to, l}, cache.ReflectorOptions{
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
		redials:   s.client.Redials,
		busy:      &s.busy,
		streaming: s.streaming,
		streams:   newPace(s.clock),
		watches:   newPace(s.clock),
		plain:     s.Plain,
	}
	l.bookmarks.seen = s.Bookmarks
	return l
}

// endingClock ends waits when a context ends. Between two attempts to begin a streaming
// list, a reflector waits for its clock only.
type endingClock struct {
	clock.RealClock
	ctx context.Context
}

// After returns a channel that closes after the duration, or when the context ends.
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
