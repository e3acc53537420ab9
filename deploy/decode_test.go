package deploy

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// key names one object: kind, namespace (if it has one) and name.
type key struct{ kind, namespace, name string }

func keyOf(obj runtime.Object) key {
	m, err := meta.Accessor(obj)
	utilruntime.Must(err)
	return key{obj.GetObjectKind().GroupVersionKind().Kind, m.GetNamespace(), m.GetName()}
}

// decode reads a stream of YAML documents into typed objects. An unknown or repeated field, an unknown kind and
// an object given twice fail the test.
func decode(t *testing.T, stream []byte) map[key]runtime.Object {
	t.Helper()
	objs := map[key]runtime.Object{}
	docs := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(stream)))
	for {
		doc, err := docs.Read()
		if errors.Is(err, io.EOF) {
			return objs
		}
		if err != nil {
			t.Fatal(err)
		}
		addDocument(t, objs, doc)
	}
}

func addDocument(t *testing.T, objs map[key]runtime.Object, doc []byte) {
	t.Helper()
	obj, _, err := decoder.Decode(doc, nil, nil)
	if err != nil {
		t.Fatalf("%v in:\n%s", err, doc)
	}
	if k := keyOf(obj); objs[k] != nil {
		t.Fatalf("%v is given twice", k)
	}
	objs[keyOf(obj)] = obj
}

var decoder = newDecoder()

func newDecoder() runtime.Decoder {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, rbacv1.AddToScheme, discoveryv1.AddToScheme, networkingv1.AddToScheme, policyv1.AddToScheme,
	} {
		utilruntime.Must(add(scheme))
	}
	options := json.SerializerOptions{Yaml: true, Strict: true}
	return json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, options)
}

func TestDecodeIsStrict(t *testing.T) {
	tests := map[string]string{
		"unknown field":  "apiVersion: v1\nkind: Namespace\nmetadata: { name: a, title: b }\n",
		"repeated field": "apiVersion: v1\nkind: Namespace\nmetadata: { name: a, name: b }\n",
		"unknown kind":   "apiVersion: v1\nkind: Namespaces\nmetadata: { name: a }\n",
	}
	for name, doc := range tests {
		t.Run(name, func(t *testing.T) {
			if _, _, err := decoder.Decode([]byte(doc), nil, nil); err == nil {
				t.Errorf("decoded without an error:\n%s", doc)
			}
		})
	}
}
