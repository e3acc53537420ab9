package kube

import (
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterdns/clusterdns/plugin/clusterdns/zone"
)

// feed is one kind of object on its way into the owner's table. Its methods make
// changes; they belong to one goroutine at a time.
type feed struct {
	kind     string
	version  schema.GroupVersion
	resource string
	selector string // of fields
	empty    func() runtime.Object
	list     func() runtime.Object

	// put tells that an object is there, drop that one is gone, and keep which
	// ones there are at the end of a list.
	put  func(obj metav1.Object) change
	drop func(key zone.Key) change
	keep func(keys []zone.Key) change
}

// newFeeds makes the feeds that cfg asks for, and lets the owner await them.
func newFeeds(cfg Config, o *owner) []*feed {
	feeds := []*feed{serviceFeed(cfg, o), namespaceFeed(cfg, o)}
	if !cfg.NoEndpoints {
		feeds = append(feeds, sliceFeed(cfg, o))
	}
	if cfg.Pods {
		feeds = append(feeds, podFeed(cfg, o))
	}
	o.awaited = len(feeds)
	return feeds
}

func serviceFeed(cfg Config, o *owner) *feed {
	f := &feed{
		kind:     "Service",
		version:  corev1.SchemeGroupVersion,
		resource: "services",
		empty:    func() runtime.Object { return new(corev1.Service) },
		list:     func() runtime.Object { return new(corev1.ServiceList) },
	}
	join(f, o, o.services, newConverter(cfg).service)
	return f
}

func namespaceFeed(cfg Config, o *owner) *feed {
	f := &feed{
		kind:     "Namespace",
		version:  corev1.SchemeGroupVersion,
		resource: "namespaces",
		empty:    func() runtime.Object { return new(corev1.Namespace) },
		list:     func() runtime.Object { return new(corev1.NamespaceList) },
	}
	join(f, o, o.namespaces, newConverter(cfg).namespace)
	return f
}

func sliceFeed(cfg Config, o *owner) *feed {
	f := &feed{
		kind:     "EndpointSlice",
		version:  discoveryv1.SchemeGroupVersion,
		resource: "endpointslices",
		empty:    func() runtime.Object { return new(discoveryv1.EndpointSlice) },
		list:     func() runtime.Object { return new(discoveryv1.EndpointSliceList) },
	}
	join(f, o, o.slices, newConverter(cfg).slice)
	return f
}

func podFeed(cfg Config, o *owner) *feed {
	f := &feed{
		kind:     "Pod",
		version:  corev1.SchemeGroupVersion,
		resource: "pods",
		selector: withoutPhases(),
		empty:    func() runtime.Object { return new(corev1.Pod) },
		list:     func() runtime.Object { return new(corev1.PodList) },
	}
	join(f, o, o.pods, newConverter(cfg).pod)
	return f
}

func withoutPhases() string {
	var terms []string
	for _, phase := range gonePhases {
		terms = append(terms, "status.phase!="+string(phase))
	}
	return strings.Join(terms, ",")
}

// join lets f fill a table of o by way of convert.
func join[O, T any](f *feed, o *owner, t *table[T], convert func(*O) *T) {
	f.put = func(obj metav1.Object) change {
		key, now := keyOf(obj), convert(any(obj).(*O))
		return func(txn *zone.Txn) { t.put(txn, key, now) }
	}
	f.drop = func(key zone.Key) change {
		return func(txn *zone.Txn) { t.put(txn, key, nil) }
	}
	f.keep = func(keys []zone.Key) change {
		return func(txn *zone.Txn) {
			t.sweep(txn, keys)
			if !t.listed {
				t.listed = true
				o.awaited--
			}
		}
	}
}
