//go:build e2e

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"github.com/clusterdns/clusterdns/test/lab"
)

// bareObjects is the file with the objects of the cases, for an API server without a node.
const bareObjects = "../conformance/testdata/ci-fixtures-bare-apiserver.yaml"

// makeCaseObjects creates these objects in the lab until the end of the test, and waits for
// what the cluster adds to them.
func makeCaseObjects(t *testing.T) {
	t.Helper()
	bare, err := readObjects(bareObjects)
	if err != nil {
		t.Fatal(err)
	}
	live := liveObjects(bare)
	var namespaces []string
	for _, o := range live {
		if o.GetKind() == "Namespace" {
			namespaces = append(namespaces, o.GetName())
			applyObject(t, o)
			awaitAccount(t, o.GetName())
		}
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := cluster.Kubectl(ctx, append([]string{"delete", "namespace", "--wait=false"}, namespaces...)...); err != nil {
			t.Error(err)
		}
	})
	for _, o := range live {
		applyObject(t, o)
	}
	for _, namespace := range []string{"test-3", "test-5"} {
		for _, service := range []string{"headless-1", "headless-2"} {
			eventually(t, func(ctx context.Context) error { return hasEndpoint(ctx, namespace, service) })
		}
	}
}

func applyObject(t *testing.T, o *unstructured.Unstructured) {
	t.Helper()
	text, err := yaml.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, string(text))
}

// hasEndpoint returns nil if a Service has a ready endpoint.
func hasEndpoint(ctx context.Context, namespace, service string) error {
	ready, err := cluster.Kubectl(ctx, "get", "endpointslices", "--namespace", namespace, "--selector=kubernetes.io/service-name="+service,
		"-o", "jsonpath={.items[*].endpoints[*].conditions.ready}")
	if err == nil && !strings.Contains(ready, "true") {
		err = fmt.Errorf("endpoints of %s in %s: ready %q, want true", service, namespace, ready)
	}
	return err
}

func readObjects(path string) ([]*unstructured.Unstructured, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		o := new(unstructured.Unstructured)
		if err := yaml.Unmarshal(document, &o.Object); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(o.Object) > 0 {
			objects = append(objects, o)
		}
	}
}

// liveObjects returns the objects without what the cluster itself makes: the state of Pods,
// and the slices of Services that select them.
func liveObjects(bare []*unstructured.Unstructured) []*unstructured.Unstructured {
	selecting := map[string]bool{}
	for _, o := range bare {
		if _, selects, _ := unstructured.NestedMap(o.Object, "spec", "selector"); o.GetKind() == "Service" && selects {
			selecting[o.GetNamespace()+"/"+o.GetName()] = true
		}
	}
	var live []*unstructured.Unstructured
	for _, o := range bare {
		switch {
		case o.GetNamespace() == dnsNamespace, o.GetName() == "coredns-test-client":
		case o.GetKind() == "EndpointSlice" && selecting[o.GetNamespace()+"/"+o.GetLabels()["kubernetes.io/service-name"]]:
		case o.GetKind() == "Pod":
			live = append(live, livePod(o))
		default:
			live = append(live, o)
		}
	}
	return live
}

// livePod returns a Pod that kubelet can start, unless the Pod must not start.
func livePod(pod *unstructured.Unstructured) *unstructured.Unstructured {
	pod = pod.DeepCopy()
	unstructured.RemoveNestedField(pod.Object, "status")
	unstructured.RemoveNestedField(pod.Object, "spec", "nodeName")
	containers, _, _ := unstructured.NestedSlice(pod.Object, "spec", "containers")
	for _, c := range containers {
		if c, ok := c.(map[string]any); ok && !strings.HasPrefix(fmt.Sprint(c["image"]), "invalid-image") {
			c["image"] = lab.Busybox
		}
	}
	_ = unstructured.SetNestedSlice(pod.Object, containers, "spec", "containers")
	return pod
}
