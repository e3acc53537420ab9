package kube

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/slimpb"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/table"
)

// sliceResource is the part that EndpointSlices of all kinds of Services share.
type sliceResource struct {
	tabled[cluster.Key, cluster.Slice]
}

func newSliceResource(name string, cfg Config, selected labels.Selector, w *writer, t *table.Table[cluster.Key, cluster.Slice]) sliceResource {
	return sliceResource{newTabled(w, t, description{
		name:     name,
		kind:     "EndpointSlice",
		versions: []schema.GroupVersion{discoveryv1.SchemeGroupVersion},
		plural:   "endpointslices",
		labels:   selected,
		decode:   sliceDecoder(cfg),
	})}
}

func sliceDecoder(cfg Config) slimpb.Decoder {
	return slimpb.EndpointSlice(slimpb.SliceFields{
		Labels:        []string{discoveryv1.LabelServiceName, convert.LabelServiceImport, convert.LabelSourceCluster},
		TargetRef:     cfg.PodNames,
		TopologyZones: cfg.TopologyZones,
	})
}

func (r *sliceResource) newObject() runtime.Object { return new(discoveryv1.EndpointSlice) }
func (r *sliceResource) newList() runtime.Object   { return new(discoveryv1.EndpointSliceList) }

func (r *sliceResource) drop(obj metav1.Object) change { return r.set(convert.KeyOf(obj), nil) }

// endpointSlices are the EndpointSlices of the cluster's own Services.
type endpointSlices struct {
	sliceResource
	converter *convert.Converter
	writer    *writer
}

func newEndpointSlices(cfg Config, selected labels.Selector, w *writer) *endpointSlices {
	return &endpointSlices{newSliceResource("endpointslices", cfg, selected, w, w.slices), newConverter(cfg), w}
}

func (r *endpointSlices) put(obj metav1.Object) change {
	return r.set(convert.KeyOf(obj), r.converter.Slice(obj.(*discoveryv1.EndpointSlice)))
}

// event also records the time of the cause, if the object has one and DNS can see the
// change. The table does not take a slice that equals the current one.
func (r *endpointSlices) event(obj metav1.Object) change {
	key, since := convert.KeyOf(obj), triggerTime(obj)
	slice := r.converter.Slice(obj.(*discoveryv1.EndpointSlice))
	return func(txn *cluster.Txn) {
		r.table.Put(txn, key, slice)
		if slice != nil && r.table.Held.At(key) == slice && !since.IsZero() {
			r.writer.dated = append(r.writer.dated, dated{slice.Key(), since})
		}
	}
}

// triggerTime returns when the cause of a slice's change happened, as its controller
// reports it (annotation endpoints.kubernetes.io/last-change-trigger-time), or zero if it
// does not.
func triggerTime(obj metav1.Object) time.Time {
	since, err := time.Parse(time.RFC3339Nano, obj.GetAnnotations()[corev1.EndpointsLastChangeTriggerTime])
	if err != nil {
		return time.Time{}
	}
	return since
}

// importedSlices are the EndpointSlices of ServiceImports. They have a watch of their own:
// with NoEndpoints, its selector keeps out the EndpointSlices of the cluster's own
// Services.
type importedSlices struct {
	sliceResource
	converter *convert.Converter
}

func newImportedSlices(cfg Config, selected labels.Selector, w *writer) *importedSlices {
	return &importedSlices{newSliceResource("multicluster-endpointslices", cfg, selected, w, w.importedSlices), newConverter(cfg)}
}

func (r *importedSlices) put(obj metav1.Object) change {
	return r.set(convert.KeyOf(obj), r.converter.ImportedSlice(obj.(*discoveryv1.EndpointSlice)))
}

func (r *importedSlices) event(obj metav1.Object) change { return r.put(obj) }
