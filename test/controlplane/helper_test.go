package controlplane_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"

	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/await"
)

func serviceNamed(name string) string {
	return "{apiVersion: v1, kind: Service, metadata: {name: " + name + "}, spec: {ports: [{port: 80}]}}"
}

func apply(t *testing.T, c *controlplane.Cluster, manifest string) {
	t.Helper()
	if err := c.Apply(t.Context(), []byte(manifest)); err != nil {
		t.Fatal(err)
	}
}

func restartAPIServer(t *testing.T) {
	t.Helper()
	if err := cluster.RestartAPIServer(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func service(t *testing.T, c *controlplane.Cluster, name string) *corev1.Service {
	t.Helper()
	service, err := c.Client().CoreV1().Services("default").Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return service
}

// resourceVersion returns the version of the list of Services.
func resourceVersion(t *testing.T, c *controlplane.Cluster) string {
	t.Helper()
	list, err := c.Client().CoreV1().Services("").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return list.ResourceVersion
}

// wantGone watches Services from the version, and wants 410 Gone. The API server may refuse
// the watch or end it with that error.
func wantGone(t *testing.T, c *controlplane.Cluster, version string) {
	t.Helper()
	_, err := firstEvent(t, c.Client(), metav1.ListOptions{ResourceVersion: version})
	if !apierrors.IsResourceExpired(err) && !apierrors.IsGone(err) {
		t.Errorf("watch from compacted version %s: got error %v, want 410 Gone", version, err)
	}
}

// streamingList requests the Services as the first events of a watch.
func streamingList(t *testing.T, c *controlplane.Cluster) error {
	t.Helper()
	yes := true
	event, err := firstEvent(t, c.Client(), metav1.ListOptions{
		SendInitialEvents:    &yes,
		AllowWatchBookmarks:  true,
		ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan,
	})
	if err == nil && event.Type != watch.Added {
		return fmt.Errorf("first event is %s, want %s", event.Type, watch.Added)
	}
	return err
}

// firstEvent returns the first event of a watch. An error event counts as an error.
func firstEvent(t *testing.T, client kubernetes.Interface, options metav1.ListOptions) (watch.Event, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	watcher, err := client.CoreV1().Services("").Watch(ctx, options)
	if err != nil {
		return watch.Event{}, err
	}
	defer watcher.Stop()
	event, open := <-watcher.ResultChan()
	if !open {
		return event, fmt.Errorf("watch ended without an event: %w", context.Cause(ctx))
	}
	if event.Type == watch.Error {
		return event, apierrors.FromObject(event.Object)
	}
	return event, nil
}

// wantEndpoint waits for the only endpoint of a Service.
func wantEndpoint(t *testing.T, c *controlplane.Cluster, service, address string) {
	t.Helper()
	slices := c.Client().DiscoveryV1().EndpointSlices("default")
	selector := metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=" + service}
	eventually(t, func(ctx context.Context) error {
		list, err := slices.List(ctx, selector)
		if err != nil {
			return err
		}
		if len(list.Items) != 1 || len(list.Items[0].Endpoints) != 1 {
			return fmt.Errorf("EndpointSlices of %s: %v, want one endpoint", service, list.Items)
		}
		if got := list.Items[0].Endpoints[0].Addresses[0]; got != address {
			return fmt.Errorf("endpoint %s, want %s", got, address)
		}
		return nil
	})
}

// eventually fails the test when the check does not succeed in time.
func eventually(t *testing.T, check func(context.Context) error) {
	t.Helper()
	await.Success(t, 50*time.Millisecond, time.Minute, check)
}
