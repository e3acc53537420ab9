//go:build soak

package soak

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	typedv1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// elsewhere is a namespace that has nothing but Pods.
const elsewhere = "elsewhere"

// podAddress returns an address that one Pod has, then two, then the other, and then none.
// In each round the Pods are new ones with the same names.
func podAddress(i int) changing {
	p := &podsAddress{i: i, second: namespace}
	if i%2 == 1 {
		p.second = elsewhere
	}
	o := &object{name: p.address(), answer: p.answer, questions: []string{"A " + p.fqdn(namespace), "A " + p.fqdn(elsewhere), "AAAA " + p.fqdn(namespace)}}
	return changing{o, p.change}
}

type podsAddress struct {
	i      int
	second string // the namespace of the second Pod
}

func (p *podsAddress) address() string { return fmt.Sprintf("10.20.0.%d", p.i) }

func (p *podsAddress) fqdn(namespace string) string {
	return strings.ReplaceAll(p.address(), ".", "-") + "." + namespace + ".pod.cluster.local"
}

// has reports whether a Pod in a namespace has the address.
func (p *podsAddress) has(of string, version int) bool {
	first, second := version%4 == 1 || version%4 == 2, version%4 == 2 || version%4 == 3
	return first && of == namespace || second && of == p.second
}

func (p *podsAddress) answer(question string, version int) string {
	of := namespace
	if strings.HasSuffix(question, p.fqdn(elsewhere)) {
		of = elsewhere
	}
	switch {
	case !p.has(of, version):
		return noName
	case strings.HasPrefix(question, "AAAA "):
		return noData
	}
	return "NOERROR " + p.address()
}

// change adds or removes a Pod with one event. The first Pod ends by its phase, and is
// deleted when nobody sees it any more; the second one is deleted while it runs.
func (p *podsAddress) change(ctx context.Context, client kubernetes.Interface, version int) error {
	first, second := client.CoreV1().Pods(namespace), client.CoreV1().Pods(p.second)
	firstName, secondName := fmt.Sprintf("first-%d", p.i), fmt.Sprintf("second-%d", p.i)
	now := *metav1.NewDeleteOptions(0)
	switch {
	case version == 0:
		return nil
	case version%4 == 1:
		return p.start(ctx, first, firstName)
	case version%4 == 2:
		return p.start(ctx, second, secondName)
	case version%4 == 3:
		return p.show(ctx, first, firstName, corev1.PodSucceeded)
	}
	if err := first.Delete(ctx, firstName, now); err != nil {
		return err
	}
	return second.Delete(ctx, secondName, now)
}

// start makes a Pod, which has no name in DNS before it has an address.
func (p *podsAddress) start(ctx context.Context, pods typedv1.PodInterface, name string) error {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "a", Image: "a"}}},
	}
	if _, err := pods.Create(ctx, pod, metav1.CreateOptions{}); err != nil {
		return err
	}
	return p.show(ctx, pods, name, corev1.PodRunning)
}

// show writes the status of a Pod, in place of a kubelet.
func (p *podsAddress) show(ctx context.Context, pods typedv1.PodInterface, name string, phase corev1.PodPhase) error {
	status := corev1.PodStatus{Phase: phase, PodIP: p.address(), PodIPs: []corev1.PodIP{{IP: p.address()}}}
	_, err := pods.UpdateStatus(ctx, &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: status}, metav1.UpdateOptions{})
	return err
}
