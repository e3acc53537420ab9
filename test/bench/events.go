package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/clusterdns/clusterdns/test/bench/oracle"
	"github.com/clusterdns/clusterdns/test/refcluster"
)

// freshName is the prefix of objects that are created to measure when they arrive.
const freshName = "bench-fresh"

// changeEndpoint gives an endpoint of a headless Service a new address. No other question
// is about that Service.
func (b *bench) changeEndpoint(ctx context.Context) (event, error) {
	b.changed++
	s := b.shape
	service := s.Changing()
	from, _ := s.EndpointRange(service)
	e := event{s.PodName(from) + "." + b.oracle.ServiceName(service), refcluster.AddressAt(refcluster.FirstChanged, b.changed).String()}
	patch := fmt.Sprintf(`[{"op":"replace","path":"/endpoints/0/addresses/0","value":%q}]`, e.address)
	_, err := b.cluster.API.DiscoveryV1().EndpointSlices(s.NamespaceOfService(service)).
		Patch(ctx, s.SliceName(service, 0), types.JSONPatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		return e, fmt.Errorf("changing an endpoint: %w", err)
	}
	return e, nil
}

// makeService creates a Service with a new name.
func (b *bench) makeService(ctx context.Context) (event, error) {
	b.made++
	name := fmt.Sprintf("%s-%d", freshName, b.made)
	// The last addresses of the range are free; each is used again after its Service is
	// gone.
	address := refcluster.AddressAt(refcluster.FirstClusterIP, refcluster.MaxServices+b.made%freshAddresses)
	_, err := b.cluster.API.CoreV1().Services(metav1.NamespaceDefault).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.ServiceSpec{ClusterIP: address.String(), Ports: refcluster.Ports},
	}, metav1.CreateOptions{})
	if err != nil {
		return event{}, fmt.Errorf("making a Service: %w", err)
	}
	return event{name + "." + metav1.NamespaceDefault + ".svc." + oracle.Domain, address.String()}, nil
}

// freshAddresses is how many ClusterIPs are free after those of the cluster.
const freshAddresses = 1000

// makePod creates a Pod, which a server with "pods verified" shows by its address.
func (b *bench) makePod(ctx context.Context) (event, error) {
	address := refcluster.FirstFresh.String()
	err := refcluster.CreatePod(ctx, b.cluster.API, refcluster.NewPod(metav1.NamespaceDefault, freshName, address))
	if err != nil {
		return event{}, fmt.Errorf("making a Pod: %w", err)
	}
	return event{oracle.PodName(address, metav1.NamespaceDefault), address}, nil
}

// removeFresh removes the created objects, for the next life.
func (b *bench) removeFresh(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	now := metav1.DeleteOptions{GracePeriodSeconds: new(int64)}
	core := b.cluster.API.CoreV1()
	err := core.Pods(metav1.NamespaceDefault).Delete(ctx, freshName, now)
	if apierrors.IsNotFound(err) {
		err = nil
	}
	for ; b.removed < b.made; b.removed++ {
		name := fmt.Sprintf("%s-%d", freshName, b.removed+1)
		if e := core.Services(metav1.NamespaceDefault).Delete(ctx, name, now); e != nil && !apierrors.IsNotFound(e) {
			return errors.Join(err, e)
		}
	}
	return err
}
