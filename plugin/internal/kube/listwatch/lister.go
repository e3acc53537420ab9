package listwatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
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
	// pageSize is the page size of client-go, which API servers are used to.
	pageSize = 500
	// pageTries is how often a list is read in pages. The pages must be of one version,
	// which the server forgets after some minutes. After that the list is read in one
	// piece, because a large answer is better than none.
	pageTries = 2
	// missingWait is the wait, in addition to the usual one, after the server has turned out not to have
	// a kind. The requests for many such kinds would take all that the limit allows.
	missingWait = 5 * time.Second
	// longestWatch is the longest time that a reflector asks a watch to last.
	longestWatch = 10 * time.Minute
)

// errSamePage is the error of a list whose pages lead to themselves. A proxy may give the same
// answer to all requests that differ in their parameters alone.
var errSamePage = errors.New("a page of the list names itself as the next page")

// lister lists and watches the objects of a kind for a reflector. The objects of a list go
// to the store; the reflector gets nothing but the end of the list.
type lister struct {
	kind    Kind
	store   Store
	clients []rest.Interface // for each version of the kind
	outages *apiserver.OutageLog
	clock   clock.WithTicker
	limits  Limits
	redial  func()        // closes all connections
	renew   func()        // does the same, unless it did so a short time ago
	redials func() int64  // how often that was done
	busy    *sync.RWMutex // read-locked during a list
	plain   bool          // do not use streaming lists
	listed  bool          // a list has just ended, and the next watch continues from it

	bookmarks bookmarks
	attempts  attempts
	repeated  atomic.Value // the version of a bookmark that is ours and not the server's
	streaming *streaming
	streams   *pace // spaces out streaming lists
	watches   *pace // spaces out watches after a list
}

// IsWatchListSemanticsUnSupported tells the reflector whether to use streaming lists.
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
		if err := l.spaceOut(ctx); err != nil {
			return nil, err
		}
	}
	if err := pace.next(ctx); err != nil {
		return nil, err
	}
	w, err := l.begin(ctx, options)
	l.listed = false
	if err != nil {
		l.failed(ctx, "watch", listFirst, err)
		if !listFirst {
			if refused(err) {
				l.turnedAway()
			}
			err = l.outcome(err)
		}
		return nil, err
	}
	l.outages.Watched(l.kind.Logged)
	return w, nil
}

// begin begins a watch, and ends it soon after the time that the server was asked to keep
// it for.
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
	return newStream(l, w, release, options), nil
}

// watchTime returns how long the server is asked to keep a watch.
func watchTime(options metav1.ListOptions) time.Duration {
	if options.TimeoutSeconds == nil {
		return longestWatch
	}
	return time.Duration(*options.TimeoutSeconds) * time.Second
}

// open begins a watch, unless the API server is at an earlier version than the one to
// continue from. Then its data was restored from a backup: it would accept the watch but
// send nothing until it reaches that version again, which may take days. The error makes
// the reflector list everything again.
func (l *lister) open(ctx context.Context, client rest.Interface, options metav1.ListOptions) (watch.Interface, error) {
	listFirst := options.SendInitialEvents != nil
	if !listFirst && !l.listed {
		newest, err := l.version(ctx, client)
		if err != nil {
			return nil, err
		}
		if order, err := resourceversion.CompareResourceVersion(newest, options.ResourceVersion); err == nil && order < 0 {
			return nil, apierrors.NewResourceExpired("the API server was set back to version " + newest)
		}
	}
	if !listFirst {
		l.attempts.count.Add(1)
	}
	return l.request(client, options).Watch(ctx)
}

// version returns the newest version, from the smallest possible list.
func (l *lister) version(ctx context.Context, client rest.Interface) (string, error) {
	about, err := l.page(ctx, client, metav1.ListOptions{Limit: 1}, func(metav1.Object) {})
	return about.ResourceVersion, err
}

// list ignores its options. They name a version that would be recent enough, but a server
// gives pages of the newest version only.
func (l *lister) list(ctx context.Context, _ metav1.ListOptions) (runtime.Object, error) {
	if err := l.spaceOut(ctx); err != nil {
		return nil, err
	}
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

// served calls do with the client of the best version of the kind that the server has. It
// tries them each time, because an API may be installed or upgraded at any time.
func (l *lister) served(do func(client rest.Interface) error) (err error) {
	for _, client := range l.clients {
		if err = l.unbroken(func() error { return do(client) }); !apierrors.IsNotFound(err) {
			return err
		}
	}
	return err
}

// unbroken calls do, and calls it again if it failed while we closed all connections. Watches of
// several kinds fall silent together, so one kind may close the connection over which another asks
// already for its new watch.
func (l *lister) unbroken(do func() error) error {
	before := l.redials()
	err := do()
	if err != nil && l.redials() != before {
		return do()
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
		switch about.Continue {
		case "":
			return about.ResourceVersion, nil
		case options.Continue:
			return "", fmt.Errorf("list of %s: %w", l.kind.Logged.Name, errSamePage)
		}
		options.Continue = about.Continue
	}
}

// failed handles an error before the reflector does. It logs no error of a streaming list:
// a plain list follows, and if that fails too, its error is logged.
func (l *lister) failed(ctx context.Context, verb string, listFirst bool, err error) {
	if apierrors.IsUnauthorized(err) {
		l.redial() // only new connections use a renewed client certificate
	}
	if apiserver.IsSilent(err) {
		l.store.Silent()
		l.renew()
	}
	if !listFirst && l.outages.Failed(ctx, verb, l.kind.Logged, err) && l.kind.Logged.Optional {
		l.store.Waive()
	}
	if !listFirst && l.kind.Logged.Optional && apierrors.IsNotFound(err) {
		_ = sleep(ctx, l.clock, missingWait)
	}
	// client-go waits ten times as long as the server asks for, but not before a watch.
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

// listEnd is a list without items: the store has them already.
type listEnd struct {
	metav1.TypeMeta
	metav1.ListMeta
	Items []runtime.Object
}

// DeepCopyObject implements runtime.Object. A shallow copy is enough, because nobody
// changes one.
func (l *listEnd) DeepCopyObject() runtime.Object { c := *l; return &c }
