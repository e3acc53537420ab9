package listwatch

import (
	"context"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
)

const (
	// pageSize is that of client-go, and what API servers are used to.
	pageSize = 500
	// pageTries is how often a list is read in pages: its pages are of one
	// version, which the server forgets after some minutes. After that it is read
	// in one piece, since a large answer is better than none.
	pageTries = 2
	// longestWatch is what a reflector asks for at most.
	longestWatch = 10 * time.Minute
)

// lister lists and watches the objects of a kind for a reflector. A list has gone
// through the store before the reflector gets it: all that it gets is the end.
type lister struct {
	kind    Kind
	store   Store
	clients []rest.Interface // for each version of the kind
	outages *apiserver.OutageLog
	clock   clock.WithTicker
	limits  Limits
	redial  func()        // gives up all connections
	renew   func()        // the same, unless that has only just been done
	busy    *sync.RWMutex // read-locked during a list
	plain   bool          // do not use streaming lists
	listed  bool          // the next watch goes on from a list that has just ended

	bookmarks bookmarks
	streaming *streaming
	streams   *pace // of streaming lists
	watches   *pace // of the watches behind a list
}

// IsWatchListSemanticsUnSupported is asked by the reflector.
func (l *lister) IsWatchListSemanticsUnSupported() bool { return l.plain }

func (l *lister) watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	options.Watch = true
	listFirst := options.SendInitialEvents != nil
	if listFirst && !l.streaming.possible() {
		return nil, errPagesOnly
	}
	pace := l.watches
	if listFirst {
		pace = l.streams
	}
	if err := pace.next(ctx); err != nil {
		return nil, err
	}
	w, err := l.begin(ctx, options)
	l.listed = false
	if err != nil {
		l.failed(ctx, "watch", listFirst, err)
		return nil, err
	}
	l.outages.Watched(l.kind.Logged)
	return w, nil
}

// begin begins a watch that lasts no longer than the server was asked for.
func (l *lister) begin(ctx context.Context, options metav1.ListOptions) (w watch.Interface, err error) {
	limited, release := context.WithTimeout(ctx, watchTime(options)+l.limits.Grace)
	err = l.served(func(client rest.Interface) (err error) {
		w, err = l.open(limited, client, options)
		return err
	})
	if err != nil {
		release()
		return nil, err
	}
	return newStream(l, w, release, options.SendInitialEvents != nil), nil
}

// watchTime returns how long the server was asked to keep a watch.
func watchTime(options metav1.ListOptions) time.Duration {
	if options.TimeoutSeconds == nil {
		return longestWatch
	}
	return time.Duration(*options.TimeoutSeconds) * time.Second
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
	about, err := l.page(ctx, client, metav1.ListOptions{Limit: 1}, func(metav1.Object) {})
	return about.ResourceVersion, err
}

// list ignores the options that it is given. They name a version that would do,
// but pages of any version but the newest are not to be had.
func (l *lister) list(ctx context.Context, _ metav1.ListOptions) (runtime.Object, error) {
	end, err := l.listEnd(ctx)
	if err != nil {
		l.failed(ctx, "list", false, err)
		return nil, err
	}
	l.listed = true
	return end, nil
}

func (l *lister) listEnd(ctx context.Context) (*listEnd, error) {
	l.busy.RLock()
	defer l.busy.RUnlock()
	end := new(listEnd)
	err := l.served(func(client rest.Interface) (err error) {
		end.ResourceVersion, err = l.whole(ctx, client)
		return err
	})
	return end, err
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

// whole reads a whole list, in pages if possible, and returns its version.
func (l *lister) whole(ctx context.Context, client rest.Interface) (string, error) {
	for try := 1; ; try++ {
		options := metav1.ListOptions{Limit: pageSize}
		if try > pageTries {
			options.Limit = 0
		}
		version, err := l.pages(ctx, client, options)
		if err == nil || !apierrors.IsResourceExpired(err) || try > pageTries {
			return version, err
		}
	}
}

// pages puts every object of a list.
func (l *lister) pages(ctx context.Context, client rest.Interface, options metav1.ListOptions) (version string, _ error) {
	l.store.Begin()
	for {
		about, err := l.page(ctx, client, options, l.store.Put)
		if err != nil {
			return "", err
		}
		if options.Continue = about.Continue; options.Continue == "" {
			return about.ResourceVersion, nil
		}
	}
}

// failed deals with an error before the reflector does. A streaming list that
// fails has no line: a plain one follows, and if that fails too it says why.
func (l *lister) failed(ctx context.Context, verb string, listFirst bool, err error) {
	if apierrors.IsUnauthorized(err) {
		l.redial() // a renewed client certificate is shown on new connections only
	}
	if apiserver.IsSilent(err) {
		l.store.Silent()
		l.renew()
	}
	if !listFirst && l.outages.Failed(ctx, verb, l.kind.Logged, err) && l.kind.Logged.Optional {
		l.store.Waive()
	}
	// client-go waits ten times as long as the server asks for, but not after that.
	if seconds, ok := apierrors.SuggestsClientDelay(err); ok {
		_ = sleep(ctx, l.clock, time.Duration(seconds)*time.Second)
	}
}

func (l *lister) request(client rest.Interface, options metav1.ListOptions) *rest.Request {
	options.FieldSelector = l.kind.Fields
	options.LabelSelector = l.kind.Labels.String()
	var timeout time.Duration
	if options.TimeoutSeconds != nil {
		timeout = watchTime(options)
	}
	return client.Get().Resource(l.kind.Logged.Resource).VersionedParams(&options, metav1.ParameterCodec).Timeout(timeout)
}

// listEnd is a list without items: those have been put already.
type listEnd struct {
	metav1.TypeMeta
	metav1.ListMeta
	Items []runtime.Object
}

// DeepCopyObject makes a runtime.Object of it; nobody copies one.
func (l *listEnd) DeepCopyObject() runtime.Object { c := *l; return &c }
