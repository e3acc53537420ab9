package kube

import (
	"context"
	"sync"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/listwatch"
)

// server is the source that follows an API server: one reflector for each resource.
type server struct {
	resources []resource
	clients   [][]rest.Interface // of each resource, one client for each version of its API
	opts      Options
	client    *apiserver.Client
	lists     *listwatch.Server
	outside   *outside
}

func newServer(cfg Config, resources []resource, w *writer, opts Options) (*server, error) {
	client, err := apiserver.New(cfg.apiServer(), apiserver.Options{
		Log:      opts.Log,
		Observe:  opts.Observer.Requested,
		NoAnswer: w.outside.noAnswer,
		Clock:    opts.clock,
		Silence:  opts.limits.Silence,
		Renewals: opts.limits.Redials,
	})
	if err != nil {
		return nil, err
	}
	s := &server{resources: resources, opts: opts, client: client, lists: listwatch.NewServer(client, opts.clock, opts.limits), outside: w.outside}
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
	// Package apiserver logs what reflectors would log, and in fewer lines.
	ctx = klog.NewContext(ctx, logr.Discard())
	if s.opts.Begin != nil {
		select {
		case <-s.opts.Begin:
		case <-ctx.Done():
		}
	}
	var wg sync.WaitGroup
	for i, r := range s.resources {
		to := &reflectorStore{ctx: ctx, resource: r, out: out, outside: s.outside, observer: s.opts.Observer, clock: s.opts.clock}
		wg.Go(func() { s.lists.Follow(ctx, listed(r), s.clients[i], to) })
	}
	wg.Wait()
	s.lists.Wait()
	s.client.Close()
}

// listed returns how a resource is listed and watched.
func listed(r resource) listwatch.Kind {
	about := r.about()
	return listwatch.Kind{
		Name:      about.kind,
		Logged:    about.logged(),
		Fields:    about.fields,
		Labels:    about.labels,
		Decode:    about.decode,
		NewObject: r.newObject,
		NewList:   r.newList,
	}
}
