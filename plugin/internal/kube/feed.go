package kube

import (
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/apiserver"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
)

// feed is one kind of object on its way into the owner's table. Its methods make
// changes; they belong to one goroutine at a time.
type feed struct {
	name     string // in log lines and metrics
	kind     string
	versions []schema.GroupVersion // of the API, the best one first
	resource string
	fields   string // a selector
	labels   labels.Selector
	optional bool // nobody waits for the kind if it cannot be watched
	empty    func() runtime.Object
	list     func() runtime.Object

	decode slimpb.Decoder // of an object in protobuf; nil for a kind that there is in JSON alone

	// put tells that an object is there, event that it has just come or changed,
	// and drop that it is gone. What was not put between begin and end is gone too.
	put        func(obj metav1.Object) change
	event      func(obj metav1.Object) change
	drop       func(obj metav1.Object) change
	begin, end func() change

	barrier *barrier      // holds events during a hand-over
	waive   func() change // no longer waits for the first list
	listing func() bool   // whether a list has begun and not ended; the owner's
	count   func() int    // of the objects held; the owner's
	told    int           // the count that the observer was told last; the owner's
}

func newConverter(cfg Config) *convert.Converter {
	return convert.New(convert.Settings{PodNames: cfg.PodNames, PodLabels: cfg.PodLabels, TopologyZones: cfg.TopologyZones})
}

func convertNamespace(ns *corev1.Namespace) *namespace { return &namespace{ns.Name} }

// newFeeds makes the feeds that cfg asks for, and lets the owner await them.
func newFeeds(cfg Config, o *owner) ([]*feed, error) {
	selected, err := parseSelectors(cfg)
	if err != nil {
		return nil, err
	}
	feeds := []*feed{
		serviceFeed(cfg, selected.objects, o),
		namespaceFeed(selected.namespaces, o),
	}
	if !cfg.NoEndpoints {
		feeds = append(feeds, sliceFeed(cfg, selected.objects, o))
	}
	if cfg.Pods {
		feeds = append(feeds, podFeed(cfg, selected.objects, o))
	}
	if cfg.MultiCluster {
		feeds = append(feeds, importFeed(cfg, o), importedSliceFeed(cfg, selected.imported, o))
	}
	o.feeds, o.awaited = feeds, len(feeds)
	return feeds, nil
}

// about is how the log names the kind.
func (f *feed) about() apiserver.Kind {
	return apiserver.Kind{Name: f.name, Group: f.versions[0].Group, Resource: f.resource, Optional: f.optional}
}

// codecs decode the kind.
func (f *feed) codecs(version schema.GroupVersion) runtime.NegotiatedSerializer {
	if f.decode == nil {
		return codecs
	}
	return slimpb.Codecs(codecs, version.WithKind(f.kind), f.decode)
}

func serviceFeed(cfg Config, selected labels.Selector, o *owner) *feed {
	f := &feed{
		name:     "services",
		kind:     "Service",
		versions: []schema.GroupVersion{corev1.SchemeGroupVersion},
		resource: "services",
		labels:   selected,
		empty:    func() runtime.Object { return new(corev1.Service) },
		list:     func() runtime.Object { return new(corev1.ServiceList) },
		decode:   slimpb.Service,
	}
	join(f, o, o.services, itself, newConverter(cfg).Service)
	return f
}

func namespaceFeed(selected labels.Selector, o *owner) *feed {
	f := &feed{
		name:     "namespaces",
		kind:     "Namespace",
		versions: []schema.GroupVersion{corev1.SchemeGroupVersion},
		resource: "namespaces",
		labels:   selected,
		empty:    func() runtime.Object { return new(corev1.Namespace) },
		list:     func() runtime.Object { return new(corev1.NamespaceList) },
		decode:   slimpb.Namespace,
	}
	join(f, o, o.namespaces, itself, convertNamespace)
	return f
}

func sliceFeed(cfg Config, selected labels.Selector, o *owner) *feed {
	f := newSliceFeed("endpointslices", cfg, selected)
	join(f, o, o.slices, itself, newConverter(cfg).Slice)
	f.event = o.timed(f.put)
	return f
}

func newSliceFeed(name string, cfg Config, selected labels.Selector) *feed {
	return &feed{
		name:     name,
		kind:     "EndpointSlice",
		versions: []schema.GroupVersion{discoveryv1.SchemeGroupVersion},
		resource: "endpointslices",
		labels:   selected,
		empty:    func() runtime.Object { return new(discoveryv1.EndpointSlice) },
		list:     func() runtime.Object { return new(discoveryv1.EndpointSliceList) },
		decode: slimpb.EndpointSlice(slimpb.SliceFields{
			Labels:        []string{discoveryv1.LabelServiceName, convert.LabelServiceImport, convert.LabelSourceCluster},
			TargetRef:     cfg.PodNames,
			TopologyZones: cfg.TopologyZones,
		}),
	}
}

func podFeed(cfg Config, selected labels.Selector, o *owner) *feed {
	f := &feed{
		name:     "pods",
		kind:     "Pod",
		versions: []schema.GroupVersion{corev1.SchemeGroupVersion},
		resource: "pods",
		fields:   withoutPhases(),
		labels:   selected,
		empty:    func() runtime.Object { return new(corev1.Pod) },
		list:     func() runtime.Object { return new(corev1.PodList) },
		decode:   slimpb.Pod(cfg.PodLabels),
	}
	join(f, o, o.pods, convert.PodID, newConverter(cfg).Pod)
	byUID(f, o.pods)
	return f
}

// byUID has a Pod that is gone take away no other one that has its name by now. Of
// Pods with one name the last that is put is the newest: the API server keeps their
// order. Of those with one address it keeps none.
func byUID(f *feed, t *table[uint64, cluster.Pod]) {
	f.drop = func(obj metav1.Object) change {
		id, uid := convert.PodID(convert.KeyOf(obj)), convert.PodUID(obj)
		return func(txn *cluster.Txn) {
			if held := t.held.at(id); held != nil && held.UID == uid {
				t.put(txn, id, nil)
			}
		}
	}
	put := f.put
	f.put = func(obj metav1.Object) change {
		if convert.Ended(obj.(*corev1.Pod)) {
			return f.drop(obj)
		}
		return put(obj)
	}
	f.event = f.put
}

func withoutPhases() string {
	var terms []string
	for _, phase := range convert.EndedPhases {
		terms = append(terms, "status.phase!="+string(phase))
	}
	return strings.Join(terms, ",")
}

// join lets f fill a table of o by way of model. What the table knows an object
// by follows from its key.
func join[O any, K comparable, T any](f *feed, o *owner, t *table[K, T], identify func(cluster.Key) K, model func(*O) *T) {
	settle := sync.OnceFunc(func() { o.awaited-- })
	f.put = func(obj metav1.Object) change {
		id, now := identify(convert.KeyOf(obj)), model(any(obj).(*O))
		return func(txn *cluster.Txn) { t.put(txn, id, now) }
	}
	f.event = f.put
	f.drop = func(obj metav1.Object) change {
		id := identify(convert.KeyOf(obj))
		return func(txn *cluster.Txn) { t.put(txn, id, nil) }
	}
	f.begin = func() change { return func(*cluster.Txn) { t.begin() } }
	f.end = func() change {
		return func(txn *cluster.Txn) {
			t.sweep(txn)
			settle()
		}
	}
	f.waive = func() change { return func(*cluster.Txn) { settle() } }
	f.listing = func() bool { return t.held.marks != nil }
	f.count = func() int { return t.held.count }
	f.told = -1
	f.barrier = newBarrier()
}

func itself(key cluster.Key) cluster.Key { return key }
