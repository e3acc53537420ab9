package differential

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// changes is how many objects change.
const changes = 400

// changer changes a cluster at random. Its objects resemble those of the generator, because
// names and addresses are used again.
type changer struct {
	*generator
	client kubernetes.Interface
	world  *world
}

func newChanger(seed uint64, client kubernetes.Interface, w *world) *changer {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, 1))}
	for _, key := range sortedKeys(w.services) {
		g.names = append(g.names, key+".svc.cluster.local")
	}
	return &changer{g, client, w}
}

// run makes all changes, one after the other.
func (ch *changer) run(ctx context.Context) error {
	steps := []func(context.Context, int) error{
		ch.newServiceStep, ch.newServiceStep, ch.changeService, ch.deleteService,
		ch.changeSlice, ch.changeSlice, ch.changeSlice, ch.deleteSlice, ch.moveSlice,
		ch.newPod, ch.changePod, ch.changePod, ch.deletePod,
	}
	for i := range changes {
		err := pick(ch.Rand, steps...)(ctx, generatedServices+i)
		if err != nil && !outdated(err) {
			return fmt.Errorf("change %d: %w", i, err)
		}
	}
	return nil
}

func (ch *changer) newServiceStep(ctx context.Context, i int) error {
	ch.objects = nil
	ch.service(i % 250) // it has an address of its own by its number
	for _, object := range ch.objects {
		if err := createOne(ctx, ch.client, object); err != nil {
			return err
		}
	}
	return nil
}

// sortedKeys makes the result of a seed independent of the order of maps.
func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

// outdated reports whether an object was refused because of an earlier step: it is gone, or
// another object has its name or its address.
func outdated(err error) bool {
	return apierrors.IsNotFound(err) || apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsInvalid(err)
}

// changeService gives a Service other ports, or another target.
func (ch *changer) changeService(ctx context.Context, _ int) error {
	s := ch.aService().DeepCopy()
	s.ResourceVersion, s.UID = "", ""
	if alias(s) {
		s.Spec.ExternalName = ch.target()
	} else {
		s.Spec.Ports = ch.servicePorts(1)
	}
	_, err := ch.client.CoreV1().Services(s.Namespace).Update(ctx, s, metav1.UpdateOptions{})
	return err
}

func (ch *changer) deleteService(ctx context.Context, _ int) error {
	s := ch.aService()
	return ch.client.CoreV1().Services(s.Namespace).Delete(ctx, s.Name, metav1.DeleteOptions{})
}

// aService returns one of the initial Services, but neither the server's nor the API
// server's, which must not change.
func (ch *changer) aService() *corev1.Service {
	for {
		s := ch.world.services[pick(ch.Rand, sortedKeys(ch.world.services)...)]
		if s.Namespace != "kube-system" && s.Namespace != "default" {
			return s
		}
	}
}

// changeSlice gives a slice other endpoints, of the same family.
func (ch *changer) changeSlice(ctx context.Context, _ int) error {
	s := ch.aSlice()
	if s.AddressType == addressTypeFQDN {
		return nil
	}
	s.Endpoints, s.Ports = nil, ch.slicePorts()
	for range ch.IntN(5) {
		s.Endpoints = append(s.Endpoints, ch.endpoint(s.AddressType))
	}
	return ch.update(ctx, s)
}

// moveSlice moves a slice to another Service, or to none.
func (ch *changer) moveSlice(ctx context.Context, _ int) error {
	s := ch.aSlice()
	s.Labels = map[string]string{discoveryv1.LabelServiceName: ch.aService().Name}
	if ch.IntN(8) == 0 {
		s.Labels = nil
	}
	return ch.update(ctx, s)
}

func (ch *changer) update(ctx context.Context, s *endpointSlice) error {
	_, err := ch.client.DiscoveryV1().EndpointSlices(s.Namespace).Update(ctx, s, metav1.UpdateOptions{})
	return err
}

func (ch *changer) deleteSlice(ctx context.Context, _ int) error {
	s := ch.aSlice()
	return ch.client.DiscoveryV1().EndpointSlices(s.Namespace).Delete(ctx, s.Name, metav1.DeleteOptions{})
}

func (ch *changer) aSlice() *endpointSlice {
	for {
		s := pick(ch.Rand, ch.world.slices...).DeepCopy()
		if s.Namespace != "kube-system" {
			s.ResourceVersion, s.UID = "", ""
			return s
		}
	}
}

func (ch *changer) newPod(ctx context.Context, i int) error {
	ch.objects = nil
	ch.pod(i)
	return createOne(ctx, ch.client, ch.objects[0])
}

// changePod gives a Pod another phase and other addresses, or begins to delete it.
func (ch *changer) changePod(ctx context.Context, _ int) error {
	p := pick(ch.Rand, ch.world.pods...).DeepCopy()
	if p.DeletionTimestamp != nil {
		return nil // stock no longer looks at it
	}
	p.ResourceVersion, p.UID = "", ""
	p.Status = ch.podStatus()
	_, err := ch.client.CoreV1().Pods(p.Namespace).UpdateStatus(ctx, p, metav1.UpdateOptions{})
	return err
}

// deletePod deletes a Pod. One with a finalizer stays until the end.
func (ch *changer) deletePod(ctx context.Context, _ int) error {
	p := pick(ch.Rand, ch.world.pods...)
	return ch.client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, metav1.DeleteOptions{})
}
