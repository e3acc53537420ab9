package kube

import (
	"context"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/clusterdns/zone"
)

// sink is the store of a reflector. It keeps nothing: it converts and sends on.
//
// A reflector gathers a streaming list in a store of its own before it hands all
// of it to Replace. What goes in there comes through the Transformer, which
// sends the object on at once and leaves only its key behind. An object that is
// deleted while the list is under way is deleted from that store alone, so the
// keys in Replace decide what stays.
type sink struct {
	ctx  context.Context // of the reflector, whose interface has none
	feed *feed
	out  chan<- change

	observer Observer
	clock    clock.PassiveClock
	listed   bool // a whole list has been received
}

var (
	_ cache.TransformingStore      = (*sink)(nil)
	_ cache.ReflectorBookmarkStore = (*sink)(nil)
)

// Transformer converts the objects of a streaming list.
func (s *sink) Transformer() cache.TransformFunc {
	return func(obj any) (any, error) {
		key, err := cache.MetaNamespaceKeyFunc(obj)
		if err != nil {
			return nil, err
		}
		return cache.ExplicitKey(key), s.put(obj)
	}
}

// Add takes an object that is new. It comes from a watch, as those of Update and
// Delete do, and never from a list.
func (s *sink) Add(obj any) error { return s.Update(obj) }

// Update takes an object that has changed.
func (s *sink) Update(obj any) error {
	o, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	s.heard()
	s.send(s.feed.event(o))
	return nil
}

// Delete takes an object that is gone.
func (s *sink) Delete(obj any) error {
	o, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	s.heard()
	s.send(s.feed.drop(keyOf(o)))
	return nil
}

// Bookmark is told that a watch without events goes on.
func (s *sink) Bookmark(string) error {
	s.heard()
	return nil
}

// Replace takes the end of a list: explicit keys of a streaming one, sets of
// keys of a plain one.
func (s *sink) Replace(list []any, _ string) error {
	keys := make([]zone.Key, 0, len(list))
	for _, item := range list {
		switch item := item.(type) {
		case cache.ExplicitKey:
			keys = append(keys, splitKey(string(item)))
		case *keySet:
			keys = append(keys, item.keys...)
		default:
			return fmt.Errorf("%T in a list of keys", item)
		}
	}
	s.heard()
	if s.listed {
		s.observer.Relisted(s.feed.name)
	}
	s.listed = true
	s.send(s.feed.keep(keys))
	return nil
}

// Resync does nothing: there is nobody who would want to hear it all again.
func (s *sink) Resync() error { return nil }

func (s *sink) put(obj any) error {
	o, err := meta.Accessor(obj)
	if err != nil {
		return err
	}
	s.send(s.feed.put(o))
	return nil
}

func (s *sink) heard() { s.observer.Heard(s.feed.name, s.clock.Now()) }

func (s *sink) send(c change) {
	select {
	case s.out <- c:
	case <-s.ctx.Done():
	}
}

func keyOf(o metav1.Object) zone.Key { return zone.Key{Namespace: o.GetNamespace(), Name: o.GetName()} }

// splitKey is the inverse of cache.MetaNamespaceKeyFunc.
func splitKey(key string) zone.Key {
	namespace, name, ok := strings.Cut(key, "/")
	if !ok {
		return zone.Key{Name: key}
	}
	return zone.Key{Namespace: namespace, Name: name}
}
