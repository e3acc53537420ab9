package refcluster

import (
	"context"
	"log"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// writers is how many requests are in progress at a time.
const writers = 48

// loader writes a cluster's objects to an API server.
type loader struct {
	shape  Shape
	client kubernetes.Interface
}

// Client returns a client without a rate limit that decodes quickly.
func Client(config *rest.Config) (*kubernetes.Clientset, error) {
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	config.QPS = -1
	return kubernetes.NewForConfig(config)
}

func (l *loader) run(ctx context.Context) error {
	stages := []struct {
		what  string
		count int
		write func(context.Context, int) error
	}{
		{"namespaces", l.shape.Namespaces, l.writeNamespace},
		{"Services with their EndpointSlices", l.shape.Services, l.writeService},
		{"Pods with their status", l.shape.Pods, l.writePod},
	}
	for _, stage := range stages {
		began := time.Now()
		if err := Parallel(ctx, writers, stage.count, stage.write); err != nil {
			return err
		}
		log.Printf("wrote %d %s in %s", stage.count, stage.what, time.Since(began).Round(time.Second/10))
	}
	return nil
}

func (l *loader) writeNamespace(ctx context.Context, i int) error {
	_, err := l.client.CoreV1().Namespaces().Create(ctx, l.shape.namespace(i), metav1.CreateOptions{})
	return err
}

func (l *loader) writeService(ctx context.Context, i int) error {
	service := l.shape.service(i)
	if _, err := l.client.CoreV1().Services(service.Namespace).Create(ctx, service, metav1.CreateOptions{}); err != nil {
		return err
	}
	for _, slice := range l.shape.slices(i) {
		if _, err := l.client.DiscoveryV1().EndpointSlices(slice.Namespace).Create(ctx, slice, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return nil
}

func (l *loader) writePod(ctx context.Context, i int) error {
	return CreatePod(ctx, l.client, l.shape.pod(i))
}

// CreatePod creates a Pod with its status. That takes two requests, because the API server
// drops the status of a new Pod.
func CreatePod(ctx context.Context, client kubernetes.Interface, pod *corev1.Pod) error {
	pods := client.CoreV1().Pods(pod.Namespace)
	created, err := pods.Create(ctx, pod, metav1.CreateOptions{})
	if err != nil {
		return err
	}
	created.Status = pod.Status
	_, err = pods.UpdateStatus(ctx, created, metav1.UpdateOptions{})
	return err
}

// Parallel calls do for the numbers below n, on so many goroutines, and stops at the first
// error.
func Parallel(ctx context.Context, workers, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && ctx.Err() == nil; i = int(next.Add(1)) - 1 {
				if err := do(ctx, i); err != nil {
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
