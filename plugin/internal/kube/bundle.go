package kube

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// supported has the kinds of object that mean something in DNS.
var supported = map[string]func() metav1.Object{
	"v1 Namespace":                      func() metav1.Object { return new(corev1.Namespace) },
	"v1 Service":                        func() metav1.Object { return new(corev1.Service) },
	"v1 Pod":                            func() metav1.Object { return new(corev1.Pod) },
	"discovery.k8s.io/v1 EndpointSlice": func() metav1.Object { return new(discoveryv1.EndpointSlice) },

	"multicluster.x-k8s.io/v1beta1 ServiceImport":  func() metav1.Object { return new(serviceImport) },
	"multicluster.x-k8s.io/v1alpha1 ServiceImport": func() metav1.Object { return new(serviceImport) },
}

// object is a Kubernetes object of a file.
type object struct {
	kind  string
	key   zone.Key
	place string
	api   metav1.Object
}

// String names the object.
func (o *object) String() string {
	if o.key.Namespace == "" {
		return o.kind + " " + o.key.Name
	}
	return fmt.Sprintf("%s %s/%s", o.kind, o.key.Namespace, o.key.Name)
}

// bundle is the objects of all files, each once, in the order of the files.
type bundle struct {
	objects  []*object
	index    map[string]int // of an object, by its String
	findings findings
}

// parseBundle decodes the objects of all files. The first thing that does not
// parse is an error; what parses but means nothing is a finding.
func parseBundle(texts []text) (*bundle, error) {
	b := &bundle{index: make(map[string]int)}
	for _, t := range texts {
		documents, err := parseDocuments(t)
		if err != nil {
			return nil, err
		}
		for i := range documents {
			if err := b.add(&documents[i]); err != nil {
				return nil, err
			}
		}
	}
	b.inspect()
	b.implyNamespaces()
	return b, nil
}

func (b *bundle) add(d *document) error {
	kind := d.apiVersion + " " + d.kind
	empty, ok := supported[kind]
	if !ok {
		b.findings.add(unsupported, kind, d.place())
		return nil
	}
	o := &object{kind: d.kind, place: d.place(), api: empty()}
	if err := d.into(o.api); err != nil {
		return err
	}
	if o.api.GetName() == "" {
		return fmt.Errorf("%s: metadata.name: expected a name, found nothing", d.place())
	}
	if d.kind != "Namespace" && o.api.GetNamespace() == "" {
		o.api.SetNamespace(metav1.NamespaceDefault)
	}
	o.key = keyOf(o.api)
	if name := unservable(o.api); name != "" {
		b.findings.add(invalid, fmt.Sprintf("%s: %q", o, name), o.place)
		return nil
	}
	b.put(o)
	return nil
}

// put adds an object. Of two with the same name the last one counts, as if they
// had been applied one after the other.
func (b *bundle) put(o *object) {
	if o.kind == "Namespace" {
		labelName(o.api)
	}
	i, ok := b.index[o.String()]
	if !ok {
		b.index[o.String()] = len(b.objects)
		b.objects = append(b.objects, o)
		return
	}
	b.findings.add(repeated, o.String(), b.objects[i].place+" and "+o.place)
	b.objects[i] = o
}

// labelName gives a Namespace the label that an API server gives it, as it may
// be selected by that.
func labelName(namespace metav1.Object) {
	labels := namespace.GetLabels()
	if labels == nil {
		labels = make(map[string]string)
	}
	labels[corev1.LabelMetadataName] = namespace.GetName()
	namespace.SetLabels(labels)
}

// unservable is the first name of an object that should be a DNS label and is
// not. An API server would have refused it, or we would not have taken it.
func unservable(obj metav1.Object) string {
	var labels []string
	switch o := obj.(type) {
	case *corev1.Namespace:
		labels = []string{o.Name}
	case *corev1.Service:
		labels = []string{o.Namespace, o.Name}
		for i := range o.Spec.Ports {
			labels = append(labels, o.Spec.Ports[i].Name)
		}
	case *serviceImport:
		labels = []string{o.Namespace, o.Name}
	case *discoveryv1.EndpointSlice:
		labels = []string{o.Namespace}
		for i := range o.Ports {
			labels = append(labels, valueOf(o.Ports[i].Name))
		}
		for i := range o.Endpoints {
			labels = append(labels, valueOf(o.Endpoints[i].Hostname))
		}
	default:
		labels = []string{o.GetNamespace()}
	}
	for _, label := range labels {
		if label != "" && len(validation.IsDNS1123Label(label)) > 0 {
			return label
		}
	}
	return ""
}

// inspect finds objects that will not do what their author may expect.
func (b *bundle) inspect() {
	for _, o := range b.objects {
		switch api := o.api.(type) {
		case *corev1.Service:
			if api.Spec.Type != corev1.ServiceTypeExternalName && !headless(&api.Spec) && len(clusterIPs(&api.Spec)) == 0 {
				b.findings.add(unaddressed, o.String(), o.place)
			}
		case *discoveryv1.EndpointSlice:
			if !b.has("Service", api, discoveryv1.LabelServiceName) && !b.has("ServiceImport", api, labelImport) {
				b.findings.add(orphaned, o.String(), o.place)
			}
		}
	}
}

// has says whether there is the object of a kind that a label of a slice names.
func (b *bundle) has(kind string, s *discoveryv1.EndpointSlice, label string) bool {
	named := object{kind: kind, key: zone.Key{Namespace: s.Namespace, Name: s.Labels[label]}}
	_, ok := b.index[named.String()]
	return ok
}

// implyNamespaces adds the Namespaces of all objects, since dumps often lack them.
func (b *bundle) implyNamespaces() {
	for _, o := range b.objects {
		implied := &object{kind: "Namespace", key: zone.Key{Name: o.key.Namespace}, place: o.place}
		if _, ok := b.index[implied.String()]; ok || implied.key.Name == "" {
			continue
		}
		implied.api = &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: implied.key.Name}}
		b.put(implied)
	}
}

// change puts all objects that the feeds are for, and sweeps the others.
func (b *bundle) change(feeds []*feed) change {
	var steps []change
	for _, f := range feeds {
		steps = append(steps, f.begin())
		for _, o := range b.objects {
			if o.kind == f.kind && f.selects(o.api) {
				steps = append(steps, f.put(o.api))
			}
		}
		steps = append(steps, f.end())
	}
	return func(txn *zone.Txn) {
		for _, step := range steps {
			step(txn)
		}
	}
}
