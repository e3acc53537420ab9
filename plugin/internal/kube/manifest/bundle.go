package manifest

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/publish"
)

// supported has the kinds of object that mean something in DNS.
var supported = map[string]func() metav1.Object{
	"v1 Namespace":                      func() metav1.Object { return new(corev1.Namespace) },
	"v1 Service":                        func() metav1.Object { return new(corev1.Service) },
	"v1 Pod":                            func() metav1.Object { return new(podManifest) },
	"discovery.k8s.io/v1 EndpointSlice": func() metav1.Object { return new(discoveryv1.EndpointSlice) },

	"multicluster.x-k8s.io/v1beta1 ServiceImport":  func() metav1.Object { return new(convert.ServiceImport) },
	"multicluster.x-k8s.io/v1alpha1 ServiceImport": func() metav1.Object { return new(convert.ServiceImport) },
}

// podManifest has the fields of a Pod that DNS needs. The quantities of its resources must
// not be decoded: a value like 1e-100000000 would take for ever.
type podManifest struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		HostNetwork bool                 `json:"hostNetwork"`
		DNSPolicy   corev1.DNSPolicy     `json:"dnsPolicy"`
		DNSConfig   *corev1.PodDNSConfig `json:"dnsConfig"`
	} `json:"spec"`
	Status struct {
		Phase  corev1.PodPhase `json:"phase"`
		PodIP  string          `json:"podIP"`
		PodIPs []corev1.PodIP  `json:"podIPs"`
	} `json:"status"`
}

// pod returns the Pod with these fields.
func (m *podManifest) pod() *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: m.ObjectMeta,
		Spec:       corev1.PodSpec{HostNetwork: m.Spec.HostNetwork, DNSPolicy: m.Spec.DNSPolicy, DNSConfig: m.Spec.DNSConfig},
		Status:     corev1.PodStatus{Phase: m.Status.Phase, PodIP: m.Status.PodIP, PodIPs: m.Status.PodIPs},
	}
}

// objectsLimit bounds the number of objects that mean something in DNS.
const objectsLimit = 1_000_000

// object is what a bundle remembers of a Kubernetes object in a file.
type object struct {
	name     objectName
	path     string
	line     int
	services [2]objectName // the Service and the ServiceImport that an EndpointSlice names
	warnings []warning
}

// objectName identifies an object.
type objectName struct {
	kind string
	key  cluster.Key
}

func (o *object) place() string { return fmt.Sprintf("%s:%d", o.path, o.line) }

func (n objectName) String() string {
	if n.key.Namespace == "" {
		return n.kind + " " + n.key.Name
	}
	return fmt.Sprintf("%s %s/%s", n.kind, n.key.Namespace, n.key.Name)
}

// bundle has the objects of all files, without repetitions, in the order of the files.
type bundle struct {
	keep      func(index int, kind string, api metav1.Object) // stores an object at index, in place of the one that was there
	kinds     []string                                        // that the caller uses
	published map[string]*publish.Kind                        // kinds that give names to the world

	objects  []*object
	index    map[objectName]int
	counts   map[string]int // number of objects of supported kinds and of empty lists, by file.given
	shown    map[string]bool
	pending  int // number of warnings that are kept with the objects
	warnings warnings
}

func newBundle(keep func(int, string, metav1.Object)) *bundle {
	return &bundle{keep: keep, index: make(map[objectName]int), counts: make(map[string]int), shown: make(map[string]bool)}
}

// read adds the objects of a file. The first text that cannot be parsed is an error; an
// object that means nothing in DNS is a warning. A list without items counts as an object,
// because it states that there are none.
func (b *bundle) read(f file, in io.Reader) error {
	emptyLists, err := parseDocuments(f.path, in, func(d *document) error {
		if b.kind(d) == nil {
			b.leaveOut(d)
			return nil
		}
		b.counts[f.given]++
		if d.kind != "Namespace" && slices.Contains(b.kinds, d.kind) {
			b.shown[f.given] = true
		}
		return b.add(d)
	})
	b.counts[f.given] += emptyLists
	return err
}

// kind returns a function that makes an object of a document's kind, or nil if the kind means
// nothing in DNS.
func (b *bundle) kind(d *document) func() metav1.Object {
	name := d.apiVersion + " " + d.kind
	if known := supported[name]; known != nil {
		return known
	}
	if k := b.published[name]; k != nil {
		return func() metav1.Object { return k.New() }
	}
	return nil
}

// publish makes further kinds mean something.
func (b *bundle) publish(kinds []publish.Kind) {
	b.published = map[string]*publish.Kind{}
	for i := range kinds {
		for _, version := range kinds[i].Versions {
			b.published[version.String()+" "+kinds[i].Name] = &kinds[i]
		}
	}
}

// check refuses paths without an object that means something in DNS. Otherwise a folder
// whose files are away for a moment, or the wrong folder, would be a cluster without
// Services.
func (b *bundle) check(files fileSet, paths []string) error {
	for _, path := range paths {
		if b.counts[path] > 0 {
			continue
		}
		if !slices.ContainsFunc(files.files, func(f file) bool { return f.given == path }) {
			return fmt.Errorf("%s: expected files whose names end in .yaml, .yml or .json, found none", path)
		}
		return fmt.Errorf("%s: expected %s, found none%s", path, b.expected(), b.warnings.leftOut())
	}
	return nil
}

// expected names the kinds of object that mean something.
func (b *bundle) expected() string {
	const always = "a Service, an EndpointSlice, a Namespace, a Pod or a ServiceImport"
	further := map[string]bool{}
	for _, k := range b.published {
		further[k.Name] = k.Name != "Service"
	}
	maps.DeleteFunc(further, func(_ string, is bool) bool { return !is })
	if len(further) == 0 {
		return always
	}
	return always + ", or for k8s_gateway one of the kinds " + strings.Join(slices.Sorted(maps.Keys(further)), ", ")
}

// finish adds the warnings and Namespaces that follow from all objects together.
func (b *bundle) finish(files fileSet) {
	for _, f := range files.others {
		b.warnings.add(irregular, f.path, kindOf(f.info))
	}
	b.inspect(files)
	b.implyNamespaces()
}

func (b *bundle) add(d *document) error {
	api := b.kind(d)()
	if err := d.into(api); err != nil {
		return err
	}
	if api.GetName() == "" {
		return fmt.Errorf("%s: metadata.name: expected a name, found nothing", d.place())
	}
	if p, ok := api.(*podManifest); ok {
		api = p.pod()
	}
	if d.kind != "Namespace" && api.GetNamespace() == "" {
		api.SetNamespace(metav1.NamespaceDefault)
	}
	o := &object{name: objectName{d.kind, convert.KeyOf(api)}, path: d.path, line: d.above + d.node.Line}
	if name := unservable(api); name != "" {
		b.warnings.add(invalid, fmt.Sprintf("%s: %q", o.name, name), o.place())
		return nil
	}
	if len(b.objects) == objectsLimit {
		return fmt.Errorf("%s: expected at most %d objects in all", d.place(), objectsLimit)
	}
	if k := b.published[d.apiVersion+" "+d.kind]; k != nil {
		o.checkPublished(k, api)
	}
	b.put(o, api)
	return nil
}

// put adds an object. Of two with the same name the last one counts, as if they had been
// applied one after another.
func (b *bundle) put(o *object, api metav1.Object) {
	if o.name.kind == "Namespace" {
		labelName(api)
	}
	b.inspectObject(o, api)
	i, ok := b.index[o.name]
	if !ok {
		i = len(b.objects)
		b.index[o.name] = i
		b.objects = append(b.objects, nil)
	} else {
		b.warnings.add(repeated, o.name.String(), b.objects[i].place()+" and "+o.place())
	}
	b.objects[i] = o
	b.keep(i, o.name.kind, api)
}

// labelName sets the label that an API server sets on a Namespace, because selectors may
// use it.
func labelName(namespace metav1.Object) {
	labels := namespace.GetLabels()
	if labels == nil {
		labels = make(map[string]string)
	}
	labels[corev1.LabelMetadataName] = namespace.GetName()
	namespace.SetLabels(labels)
}

// unservable returns the first name in an object that should be a DNS label and is not, or
// "". An API server would refuse such an object.
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
	case *convert.ServiceImport:
		labels = []string{o.Namespace, o.Name}
	case *discoveryv1.EndpointSlice:
		labels = []string{o.Namespace}
		for i := range o.Ports {
			labels = append(labels, ptr.Deref(o.Ports[i].Name, ""))
		}
		for i := range o.Endpoints {
			labels = append(labels, ptr.Deref(o.Endpoints[i].Hostname, ""))
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

// implyNamespaces adds a Namespace for each object that is in one, because dumps often lack
// them.
func (b *bundle) implyNamespaces() {
	for _, o := range b.objects {
		implied := &object{name: objectName{"Namespace", cluster.Key{Name: o.name.key.Namespace}}, path: o.path, line: o.line}
		if implied.name.key.Name == "" || b.has(implied.name) {
			continue
		}
		b.put(implied, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: implied.name.key.Name}})
	}
}
