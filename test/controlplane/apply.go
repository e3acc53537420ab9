package controlplane

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/clusterdns/clusterdns/test/kit/process"
)

// applyOptions names the field manager of Apply. It takes over fields of other managers,
// because the manifest must win.
var applyOptions = metav1.ApplyOptions{FieldManager: "clusterdns-test", Force: true}

// Apply creates or updates the objects of a YAML stream, in its order, with the
// meaning of "kubectl apply --server-side": fields that the stream does not name
// keep their values, unless an earlier Apply set them. A status is applied as
// well, in a second request, so that a Pod can be Running without a kubelet.
// Objects without a namespace that need one go to "default".
func (c *Cluster) Apply(ctx context.Context, manifest []byte) error {
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(manifest)))
	for i := 1; ; i++ {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("document %d: %w", i, err)
		}
		if err := c.applyDocument(ctx, document); err != nil {
			return fmt.Errorf("document %d: %w", i, err)
		}
	}
}

func (c *Cluster) applyDocument(ctx context.Context, document []byte) error {
	var content map[string]any
	if err := yaml.UnmarshalStrict(document, &content); err != nil {
		return err
	}
	if len(content) == 0 { // only comments
		return nil
	}
	object := &unstructured.Unstructured{Object: content}
	if err := c.applyObject(ctx, object); err != nil {
		return fmt.Errorf("%s %s/%s: %w", object.GetKind(), object.GetNamespace(), object.GetName(), err)
	}
	return nil
}

func (c *Cluster) applyObject(ctx context.Context, object *unstructured.Unstructured) error {
	resource, err := c.resource(object)
	if err != nil {
		return err
	}
	if _, err := resource.Apply(ctx, object.GetName(), object, applyOptions); err != nil {
		return err
	}
	if err := c.applyStatus(ctx, resource, object); err != nil {
		return fmt.Errorf("status: %w", err)
	}
	return c.awaitDefinition(ctx, object)
}

// resource returns the client for objects of this kind and namespace.
func (c *Cluster) resource(object *unstructured.Unstructured) (dynamic.ResourceInterface, error) {
	kind := object.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, err
	}
	if mapping.Scope.Name() == meta.RESTScopeNameRoot {
		return c.dynamic.Resource(mapping.Resource), nil
	}
	if object.GetNamespace() == "" {
		object.SetNamespace(metav1.NamespaceDefault)
	}
	return c.dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace()), nil
}

func (c *Cluster) applyStatus(ctx context.Context, resource dynamic.ResourceInterface, object *unstructured.Unstructured) error {
	if object.Object["status"] == nil {
		return nil
	}
	_, err := resource.ApplyStatus(ctx, object.GetName(), object, applyOptions)
	if apierrors.IsNotFound(err) {
		return nil // a kind without that subresource: the status was part of the first request
	}
	return err
}

// awaitDefinition waits until the API server serves the kind that a
// CustomResourceDefinition defines, because its objects often follow in the same stream.
func (c *Cluster) awaitDefinition(ctx context.Context, object *unstructured.Unstructured) error {
	if object.GetKind() != "CustomResourceDefinition" {
		return nil
	}
	group, _, _ := unstructured.NestedString(object.Object, "spec", "group")
	kind, _, _ := unstructured.NestedString(object.Object, "spec", "names", "kind")
	poll := func(context.Context) (bool, error) {
		c.mapper.Reset()
		_, err := c.mapper.RESTMapping(schema.GroupKind{Group: group, Kind: kind})
		if meta.IsNoMatchError(err) {
			return false, nil
		}
		return err == nil, err
	}
	return wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, process.StartTimeout, true, poll)
}
