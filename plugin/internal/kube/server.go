package kube

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

// longestBackoff is how long the API server can be back at most before it is asked
// again. A few small requests in that time are no load, and one that asks for more
// time by Retry-After gets it.
const longestBackoff = 5 * time.Second

// backoff is client-go's, but not as long: while the API server is back and we
// wait, old answers are served. Jitter makes a wait up to twice as long.
var backoff = wait.Backoff{Duration: 500 * time.Millisecond, Factor: 2, Jitter: 1, Steps: 10, Cap: longestBackoff / 2}

// server is the source that follows an API server: one reflector for each resource.
type server struct {
	resources []resource
	clients   [][]rest.Interface // of each resource, for each of its versions
	opts      Options
	client    *apiserver.Client
	streaming *streaming
	plain     bool // for tests: no streaming lists
	bookmarks bool // for tests: they are taken for granted

	busy sync.RWMutex // read-locked while a list is under way
}

func newServer(cfg Config, resources []resource, opts Options) (*server, error) {
	client, err := apiserver.New(cfg.apiServer(), apiserver.Options{
		Log:      opts.Log,
		Observe:  opts.Observer.Requested,
		Clock:    opts.clock,
		Silence:  opts.limits.silence,
		Renewals: opts.limits.redials,
	})
	if err != nil {
		return nil, err
	}
	s := &server{resources: resources, opts: opts, client: client, streaming: newStreaming(client.Outages, opts.clock)}
	for _, r := range resources {
		clients, err := newRESTClients(client, r)
		if err != nil {
			return nil, err
		}
		s.clients = append(s.clients, clients)
	}
	return s, nil
}

func newRESTClients(client *apiserver.Client, r resource) (clients []rest.Interface, _ error) {
	for _, version := range r.about().versions {
		c, err := client.REST(version, r.about().codecs(version))
		if err != nil {
			return nil, err
		}
		clients = append(clients, c)
	}
	return clients, nil
}

func (s *server) run(ctx context.Context, out chan<- change) {
	// What reflectors have to say is in the report already, and shorter.
	ctx = klog.NewContext(ctx, logr.Discard())
	var wg sync.WaitGroup
	for i, r := range s.resources {
		wg.Go(func() { s.reflector(ctx, r, s.clients[i], out).RunWithContext(ctx) })
	}
	wg.Wait()
	s.busy.Lock() // a reflector does not wait for its list
	defer s.busy.Unlock()
	s.client.Close()
}

func (s *server) reflector(ctx context.Context, r resource, clients []rest.Interface, out chan<- change) *cache.Reflector {
	logger := logr.Discard()
	to := &reflectorStore{ctx: ctx, resource: r, out: out, observer: s.opts.Observer, clock: s.opts.clock}
	l := &lister{
		resource:  r,
		store:     to,
		clients:   clients,
		outages:   s.client.Outages,
		clock:     s.opts.clock,
		limits:    s.opts.limits,
		redial:    s.client.Redial,
		renew:     s.client.Renew,
		busy:      &s.busy,
		streaming: s.streaming,
		streams:   newPace(s.opts.clock),
		watches:   newPace(s.opts.clock),
		plain:     s.plain,
	}
	l.bookmarks.seen = s.bookmarks
	lw := cache.ToListWatcherWithWatchListSemantics(&cache.ListWatch{
		ListWithContextFunc:  l.list,
		WatchFuncWithContext: l.watch,
	}, l)
	return cache.NewReflectorWithOptions(lw, r.newObject(), to, cache.ReflectorOptions{
		Name:    r.about().name,
		Logger:  &logger,
		Backoff: new(backoff),
		Clock:   endingClock{ctx: ctx},
	})
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
