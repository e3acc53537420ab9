package kube

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	"github.com/clusterdns/clusterdns/plugin/clusterdns/zone"
)

const (
	// pageSize bounds how many decoded objects are in memory at once.
	pageSize = 500
	// pageTries is how often a list is read in pages: its pages are of one
	// version, which the server forgets after some minutes. After that it is read
	// in one piece, since a large answer is better than none.
	pageTries = 2
)

// lister lists and watches the objects of a feed for a reflector. A plain list
// has gone through the sink, page by page, before the reflector gets it; all
// that the reflector gets is the keys.
type lister struct {
	feed    *feed
	sink    *sink
	clients []rest.Interface // for each version of the feed
	report  *report
	redial  func()        // gives up all connections
	busy    *sync.RWMutex // read-locked during a list
	plain   bool          // do not use streaming lists
	listed  bool          // the next watch goes on from a list that has just ended
}

// IsWatchListSemanticsUnSupported is asked by the reflector.
func (l *lister) IsWatchListSemanticsUnSupported() bool { return l.plain }

func (l *lister) watch(ctx context.Context, options metav1.ListOptions) (w watch.Interface, err error) {
	options.Watch = true
	err = l.served(func(client rest.Interface) (err error) {
		w, err = l.open(ctx, client, options)
		return err
	})
	l.listed = false
	if err != nil {
		l.failed(ctx, "watch", err)
		return nil, err
	}
	l.report.watched(l.feed)
	return w, nil
}

// open begins a watch, unless the API server is at an earlier version than the
// one to go on from: then its data was set back to a backup. It would accept the
// watch and send nothing until it comes to that version, which may take days. The
// error is the one that makes the reflector list everything again.
func (l *lister) open(ctx context.Context, client rest.Interface, options metav1.ListOptions) (watch.Interface, error) {
	if options.SendInitialEvents == nil && !l.listed {
		newest, err := l.version(ctx, client)
		if err != nil {
			return nil, err
		}
		if order, err := resourceversion.CompareResourceVersion(newest, options.ResourceVersion); err == nil && order < 0 {
			return nil, apierrors.NewResourceExpired("the API server was set back to version " + newest)
		}
	}
	return l.request(client, options).Watch(ctx)
}

// version is the newest version, by a list of as little as possible.
func (l *lister) version(ctx context.Context, client rest.Interface) (string, error) {
	one := l.feed.list()
	if err := l.request(client, metav1.ListOptions{Limit: 1}).Do(ctx).Into(one); err != nil {
		return "", err
	}
	about, err := meta.ListAccessor(one)
	if err != nil {
		return "", err
	}
	return about.GetResourceVersion(), nil
}

// list ignores the options that it is given. They name a version that would do,
// but pages of any version but the newest are not to be had.
func (l *lister) list(ctx context.Context, _ metav1.ListOptions) (runtime.Object, error) {
	l.busy.RLock()
	defer l.busy.RUnlock()
	var keys *keyList
	err := l.served(func(client rest.Interface) (err error) {
		keys, err = l.whole(ctx, client)
		return err
	})
	if err != nil {
		l.failed(ctx, "list", err)
		return nil, err
	}
	l.listed = true
	return keys, nil
}

// served does something with the best version of the kind that the server has.
// It is found anew each time, since an API is installed and upgraded meanwhile.
func (l *lister) served(do func(client rest.Interface) error) (err error) {
	for _, client := range l.clients {
		if err = do(client); !apierrors.IsNotFound(err) {
			return err
		}
	}
	return err
}

// whole reads a whole list, in pages if possible.
func (l *lister) whole(ctx context.Context, client rest.Interface) (*keyList, error) {
	for try := 1; ; try++ {
		options := metav1.ListOptions{Limit: pageSize}
		if try > pageTries {
			options.Limit = 0
		}
		keys, err := l.pages(ctx, client, options)
		if err == nil || !apierrors.IsResourceExpired(err) || try > pageTries {
			return keys, err
		}
	}
}

// pages puts every object of a list and returns their keys.
func (l *lister) pages(ctx context.Context, client rest.Interface, options metav1.ListOptions) (*keyList, error) {
	var keys []zone.Key
	for {
		page := l.feed.list()
		if err := l.request(client, options).Do(ctx).Into(page); err != nil {
			return nil, err
		}
		err := meta.EachListItem(page, func(obj runtime.Object) error {
			o, err := meta.Accessor(obj)
			if err != nil {
				return err
			}
			keys = append(keys, keyOf(o))
			return l.sink.put(obj)
		})
		if err != nil {
			return nil, err
		}
		about, err := meta.ListAccessor(page)
		if err != nil {
			return nil, err
		}
		if options.Continue = about.GetContinue(); options.Continue == "" {
			return newKeyList(keys, about.GetResourceVersion()), nil
		}
	}
}

func (l *lister) failed(ctx context.Context, verb string, err error) {
	if apierrors.IsUnauthorized(err) {
		l.redial() // a renewed client certificate is shown on new connections only
	}
	if told := l.report.failed(ctx, verb, l.feed, err); told && l.feed.optional {
		l.sink.send(l.feed.waive())
	}
}

func (l *lister) request(client rest.Interface, options metav1.ListOptions) *rest.Request {
	options.FieldSelector = l.feed.fields
	options.LabelSelector = l.feed.labels.String()
	var timeout time.Duration
	if options.TimeoutSeconds != nil {
		timeout = time.Duration(*options.TimeoutSeconds) * time.Second
	}
	return client.Get().Resource(l.feed.resource).VersionedParams(&options, metav1.ParameterCodec).Timeout(timeout)
}

// keyList is a list with one item, which stands for all objects of a list. Items
// of their own would cost more than the keys.
type keyList struct {
	metav1.TypeMeta
	metav1.ListMeta
	Items []runtime.Object
}

type keySet struct {
	metav1.TypeMeta
	keys []zone.Key
}

func newKeyList(keys []zone.Key, resourceVersion string) *keyList {
	return &keyList{
		ListMeta: metav1.ListMeta{ResourceVersion: resourceVersion},
		Items:    []runtime.Object{&keySet{keys: keys}},
	}
}

// DeepCopyObject makes a runtime.Object of it; nobody copies one.
func (l *keyList) DeepCopyObject() runtime.Object { c := *l; return &c }

// DeepCopyObject makes a runtime.Object of it; nobody copies one.
func (s *keySet) DeepCopyObject() runtime.Object { c := *s; return &c }
