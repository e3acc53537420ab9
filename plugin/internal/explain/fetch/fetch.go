package fetch

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
)

// Reader reads from an API server, in JSON.
type Reader interface {
	Read(ctx context.Context, path string, query map[string]string) ([]byte, error)
}

// The bounds.
const (
	maxRequests = 300
	pageSize    = 500
	maxListed   = 2 * pageSize // of one list
)

var errTooMany = fmt.Errorf("a look-up touches too much: it takes more than %d requests to the API server", maxRequests)

// Fetcher reads what look-ups touch.
type Fetcher struct {
	// Unseen has what the user may not see, and what was not read whole.
	Unseen []string
	// Blind says of which Namespaces an answer cannot be told, and why.
	Blind map[string]string

	reader   Reader
	requests int
	objects  map[string]object // by path; nil if there is no such object
	order    []string
	lists    map[string]bool // that have been read
	hidden   map[string]bool // paths of objects that the user may not see
}

// New returns a Fetcher that has read nothing.
func New(r Reader) *Fetcher {
	return &Fetcher{Blind: map[string]string{}, reader: r, objects: map[string]object{}, lists: map[string]bool{}, hidden: map[string]bool{}}
}

// Wanted is what a name of the cluster may stand for.
type Wanted struct {
	Namespace string
	Service   string // or empty
	Endpoint  string // the label before it, or empty
}

// Touch reads what a name may stand for. It returns the target if that is an alias.
func (f *Fetcher) Touch(ctx context.Context, w Wanted) (target string, err error) {
	n, seen, err := f.get(ctx, namespaces, "", w.Namespace)
	if err == nil && seen && n == nil { // a Service may be meant
		err = f.named(ctx, w.Namespace)
	}
	if err != nil || w.Service == "" {
		return "", err
	}
	s, seen, err := f.get(ctx, services, w.Namespace, w.Service)
	switch {
	case err != nil:
		return "", err
	case !seen:
		f.Blind[w.Namespace] = "Services"
		return "", nil
	case s == nil:
		if err := f.named(ctx, w.Service); err != nil {
			return "", err
		}
		if n != nil || !seen { // or one with a similar name
			if err := f.list(ctx, services, w.Namespace, nil, ""); err != nil {
				return "", err
			}
		}
		_, _, err := f.get(ctx, pods, w.Namespace, w.Service)
		return "", err
	}
	if err := f.Exists(ctx, w.Namespace); err != nil { // what has a Service is there
		return "", err
	}
	return trimDot(s.text("spec", "externalName")), f.endpoints(ctx, w, s)
}

// named reads the Services of a name in all Namespaces.
func (f *Fetcher) named(ctx context.Context, service string) error {
	return f.list(ctx, services, "", map[string]string{"fieldSelector": "metadata.name=" + service}, "")
}

func trimDot(name string) string { return strings.TrimSuffix(name, ".") }

// endpoints reads the EndpointSlices of a Service, and of a headless one the Pods.
func (f *Fetcher) endpoints(ctx context.Context, w Wanted, s object) error {
	if s.text("spec", "type") == "ExternalName" {
		return nil
	}
	if err := f.list(ctx, endpointSlice, w.Namespace, map[string]string{"labelSelector": "kubernetes.io/service-name=" + w.Service}, w.Namespace); err != nil {
		return err
	}
	if s.text("spec", "clusterIP") != "None" {
		return nil
	}
	if selector, _ := s.at("spec", "selector").(map[string]any); len(selector) > 0 {
		set := labels.Set{}
		for k, v := range selector {
			set[k], _ = v.(string)
		}
		if err := f.list(ctx, pods, w.Namespace, map[string]string{"labelSelector": set.String()}, ""); err != nil {
			return err
		}
	}
	if w.Endpoint != "" {
		if _, _, err := f.get(ctx, pods, w.Namespace, w.Endpoint); err != nil {
			return err
		}
	}
	return f.probes(ctx, w.Namespace)
}

// probes reads what kubelet says of probes in a Namespace, if a Pod that was read there is not ready.
func (f *Fetcher) probes(ctx context.Context, namespace string) error {
	for path, o := range f.objects {
		if strings.HasPrefix(path, pods.in(namespace)+"/") && o != nil && !ready(o) {
			return f.list(ctx, events, namespace, map[string]string{"fieldSelector": "reason=Unhealthy"}, "")
		}
	}
	return nil
}

func ready(pod object) bool {
	var conditions []corev1.PodCondition
	text, err := json.Marshal(pod.at("status", "conditions"))
	return err == nil && json.Unmarshal(text, &conditions) == nil && convert.PodReady(conditions)
}

// Exists reads a Namespace that is there, so one that may not be seen too.
func (f *Fetcher) Exists(ctx context.Context, name string) error {
	_, seen, err := f.get(ctx, namespaces, "", name)
	if err == nil && !seen {
		f.put(namespaces.in("")+"/"+name, object{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}})
	}
	return err
}

// Pod reads the Pod that asks and the NetworkPolicies of its Namespace. It reports whether there is such a Pod, and
// whether the user may see it.
func (f *Fetcher) Pod(ctx context.Context, namespace, name string) (found, seen bool, err error) {
	p, seen, err := f.get(ctx, pods, namespace, name)
	if err != nil || p == nil {
		return false, seen, err
	}
	return true, true, f.list(ctx, policies, namespace, nil, "")
}

// Role reads a ClusterRole.
func (f *Fetcher) Role(ctx context.Context, name string) error {
	_, _, err := f.get(ctx, clusterRoles, "", name)
	return err
}

// Data returns the data of a ConfigMap, which is not kept. It is nil if there is none, or none that the user may see.
func (f *Fetcher) Data(ctx context.Context, namespace, name string) (map[string]any, error) {
	var data map[string]any
	_, _, err := f.read(ctx, configMaps, namespace, name, func(o object) { data, _ = o.at("data").(map[string]any) })
	return data, err
}

// ServiceAddrs returns the ClusterIPs of a Service.
func (f *Fetcher) ServiceAddrs(ctx context.Context, namespace, name string) (addrs []string, err error) {
	s, _, err := f.get(ctx, services, namespace, name)
	list, _ := s.at("spec", "clusterIPs").([]any)
	for _, a := range list {
		if text, ok := a.(string); ok {
			addrs = append(addrs, text)
		}
	}
	return addrs, err
}

// Absent says of a Namespace that is not known that it is not there, or that the user may not see it.
func (f *Fetcher) Absent(namespace string) string {
	if f != nil && f.hidden[namespaces.in("")+"/"+namespace] {
		return "Namespace " + namespace + " does not exist, or you may not see it"
	}
	return "Namespace " + namespace + " does not exist"
}

// SeesPods reports whether the user may list the Pods of a Namespace, as far as that was tried.
func (f *Fetcher) SeesPods(namespace string) bool {
	return !slices.Contains(f.Unseen, place(pods.plural, namespace))
}

// get reads one object. It is nil if there is none; seen is false if the user may not see it.
func (f *Fetcher) get(ctx context.Context, k kind, namespace, name string) (o object, seen bool, err error) {
	return f.read(ctx, k, namespace, name, func(object) {})
}

func (f *Fetcher) read(ctx context.Context, k kind, namespace, name string, look func(object)) (o object, seen bool, err error) {
	path := k.in(namespace) + "/" + name
	if o, known := f.objects[path]; known {
		return o, !f.hidden[path], nil
	}
	if f.hidden[path] {
		return nil, false, nil
	}
	body, err := f.ask(ctx, path, nil)
	switch {
	case apierrors.IsNotFound(err):
		f.objects[path] = nil
		return nil, true, nil
	case apierrors.IsForbidden(err):
		f.unseen(place(k.name+" "+name, namespace))
		f.hidden[path] = true
		return nil, false, nil
	case err != nil:
		return nil, false, err
	}
	if err := json.Unmarshal(body, &o); err != nil {
		return nil, false, fmt.Errorf("%s: %w", path, err)
	}
	look(o)
	f.put(path, k.slim(o))
	return f.objects[path], true, nil
}

// list reads some objects of a kind. If the user may not, answers of the Namespace blind cannot be told.
func (f *Fetcher) list(ctx context.Context, k kind, namespace string, query map[string]string, blind string) error {
	id := fmt.Sprint(k.in(namespace), query)
	if f.lists[id] {
		return nil
	}
	f.lists[id] = true
	asked := map[string]string{"limit": strconv.Itoa(pageSize)}
	for key, value := range query {
		asked[key] = value
	}
	for n := 0; ; {
		items, next, err := f.page(ctx, k, namespace, asked)
		switch {
		case apierrors.IsForbidden(err):
			f.unseen(place(k.plural, namespace))
			if blind != "" {
				f.Blind[blind] = k.plural
			}
			return nil
		case err != nil:
			return err
		}
		for _, o := range items {
			f.put(k.in(o.text("metadata", "namespace"))+"/"+o.text("metadata", "name"), k.slim(o))
		}
		n += len(items)
		if next == "" {
			return nil
		}
		if n >= maxListed {
			f.unseen(place(fmt.Sprintf("more than %d %s", n, k.plural), namespace))
			return nil
		}
		asked["continue"] = next
	}
}

func (f *Fetcher) page(ctx context.Context, k kind, namespace string, query map[string]string) (items []object, next string, err error) {
	body, err := f.ask(ctx, k.in(namespace), query)
	if err != nil {
		return nil, "", err
	}
	var list struct {
		Metadata struct{ Continue string }
		Items    []object
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, "", fmt.Errorf("%s: %w", k.in(namespace), err)
	}
	return list.Items, list.Metadata.Continue, nil
}

func (f *Fetcher) ask(ctx context.Context, path string, query map[string]string) ([]byte, error) {
	if f.requests++; f.requests > maxRequests {
		return nil, errTooMany
	}
	return f.reader.Read(ctx, path, query)
}

func (f *Fetcher) put(path string, o object) {
	if f.objects[path] == nil {
		f.order = append(f.order, path)
	}
	f.objects[path] = o
}

func place(what, namespace string) string {
	if namespace == "" {
		return what
	}
	return what + " of Namespace " + namespace
}

func (f *Fetcher) unseen(what string) {
	if !slices.Contains(f.Unseen, what) {
		f.Unseen = append(f.Unseen, what)
	}
}

// Write writes what was read into a file that only the user may read.
func (f *Fetcher) Write(path string) error {
	list := map[string]any{"apiVersion": "v1", "kind": "List"}
	items := make([]object, len(f.order))
	for i, p := range f.order {
		items[i] = f.objects[p]
	}
	list["items"] = items
	text, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
