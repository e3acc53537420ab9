package differential

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/clusterdns/clusterdns/test/controlplane"
)

const (
	zoo  = "testdata/zoo.yaml"
	role = "../../deploy/kubernetes/rbac.yaml"
	// importsRole is the file with the additional right that the property multicluster
	// needs.
	importsRole = "../../deploy/multicluster/rbac.yaml"

	// goneNamespace is the Namespace that is removed while its objects stay.
	goneNamespace = "gone"
	// writers is how many requests to the API server are in progress at a time.
	writers = 8
)

// startCluster starts an API server with all objects in it.
func startCluster(t *testing.T, generated []runtime.Object) *controlplane.Cluster {
	t.Helper()
	c := controlplane.StartTest(t, controlplane.Options{})
	for _, manifest := range []string{readText(t, role), readText(t, importsRole), controlplane.ServiceImports} {
		if err := c.Apply(t.Context(), []byte(manifest)); err != nil {
			t.Fatal(err)
		}
	}
	objects := append(readObjects(t, zoo), generated...)
	asking, err := parseObjects([]byte(askingPods))
	if err != nil {
		t.Fatal(err)
	}
	objects = append(objects, asking...)
	if err := create(t.Context(), c.Client(), objects); err != nil {
		t.Fatal(err)
	}
	if err := bury(t.Context(), c.Client(), objects); err != nil {
		t.Fatal(err)
	}
	return c
}

func readObjects(t *testing.T, path string) []runtime.Object {
	t.Helper()
	objects, err := parseObjects([]byte(readText(t, path)))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return objects
}

func readText(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// parseObjects parses a YAML stream.
func parseObjects(text []byte) ([]runtime.Object, error) {
	var objects []runtime.Object
	for i, document := range bytes.Split(text, []byte("\n---\n")) {
		object, err := decode(document)
		if err != nil {
			return nil, fmt.Errorf("document %d: %w", i+1, err)
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// decode converts YAML to JSON first, because a text that begins with a brace is taken for
// JSON.
func decode(document []byte) (runtime.Object, error) {
	text, err := yaml.YAMLToJSONStrict(document)
	if err != nil {
		return nil, err
	}
	object, _, err := scheme.Codecs.UniversalDeserializer().Decode(text, nil, nil)
	return object, err
}

// create creates the Namespaces first, because all other objects are in one of them.
func create(ctx context.Context, client kubernetes.Interface, objects []runtime.Object) error {
	var namespaces, rest []runtime.Object
	for _, object := range objects {
		if _, ok := object.(*corev1.Namespace); ok {
			namespaces = append(namespaces, object)
		} else {
			rest = append(rest, object)
		}
	}
	for _, batch := range [][]runtime.Object{namespaces, rest} {
		err := inParallel(batch, func(object runtime.Object) error { return createOne(ctx, client, object) })
		if err != nil {
			return err
		}
	}
	return nil
}

// inParallel returns the first error.
func inParallel(objects []runtime.Object, act func(runtime.Object) error) error {
	work, failed := make(chan runtime.Object), make(chan error, writers)
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			var first error
			for object := range work {
				if first == nil {
					first = act(object)
				}
			}
			failed <- first
		})
	}
	for _, object := range objects {
		work <- object
	}
	close(work)
	all.Wait()
	close(failed)
	for err := range failed {
		if err != nil {
			return err
		}
	}
	return nil
}

// createOne creates an object with its status, which takes a second request.
func createOne(ctx context.Context, client kubernetes.Interface, object runtime.Object) (err error) {
	var name string
	switch o := object.(type) {
	case *corev1.Namespace:
		name = o.Name
		_, err = client.CoreV1().Namespaces().Create(ctx, o, metav1.CreateOptions{})
	case *corev1.Service:
		name = o.Name
		err = createService(ctx, client, o)
	case *discoveryv1.EndpointSlice:
		name = o.Name
		_, err = client.DiscoveryV1().EndpointSlices(o.Namespace).Create(ctx, o, metav1.CreateOptions{})
	case *serviceImport:
		name = o.Name
		err = createImport(ctx, client, o)
	case *corev1.Pod:
		name = o.Name
		err = createPod(ctx, client, o)
	default:
		err = fmt.Errorf("%T", object)
	}
	if err != nil {
		return fmt.Errorf("creating %s: %w", name, err)
	}
	return nil
}

func createService(ctx context.Context, client kubernetes.Interface, s *corev1.Service) error {
	services := client.CoreV1().Services(s.Namespace)
	made, err := services.Create(ctx, s, metav1.CreateOptions{})
	if err != nil || len(s.Status.LoadBalancer.Ingress) == 0 {
		return err
	}
	made.Status = s.Status
	_, err = services.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}

func createPod(ctx context.Context, client kubernetes.Interface, p *corev1.Pod) error {
	pods := client.CoreV1().Pods(p.Namespace)
	made, err := pods.Create(ctx, p, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	made.Status = p.Status
	_, err = pods.UpdateStatus(ctx, made, metav1.UpdateOptions{})
	return err
}

// bury begins to delete the Pods with finalizers, and removes a Namespace before its
// objects, as its controller does when it takes the Namespace for empty.
func bury(ctx context.Context, client kubernetes.Interface, objects []runtime.Object) error {
	for _, object := range objects {
		if p, ok := object.(*corev1.Pod); ok && len(p.Finalizers) > 0 {
			if err := client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{}); err != nil {
				return err
			}
		}
	}
	namespaces := client.CoreV1().Namespaces()
	if err := namespaces.Delete(ctx, goneNamespace, metav1.DeleteOptions{}); err != nil {
		return err
	}
	gone, err := namespaces.Get(ctx, goneNamespace, metav1.GetOptions{})
	if err != nil {
		return err
	}
	gone.Spec.Finalizers = nil
	_, err = namespaces.Finalize(ctx, gone, metav1.UpdateOptions{})
	return err
}
