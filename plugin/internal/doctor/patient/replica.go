package patient

import (
	"context"
	"net/netip"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/scrape"
	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
)

// Replica is a Pod behind the Service.
type Replica struct {
	*corev1.Pod
	Addr    netip.Addr // invalid before the Pod has one
	udp     int32      // the ports behind the Service's port 53
	tcp     int32
	metrics int32

	First func() (*scrape.Metrics, error) // its metrics
	Later func() (*scrape.Metrics, error) // and again

	// What it says, once the patient has been asked: over each network over which it can be asked from here, and of a
	// name outside the cluster.
	Over    map[string]Answers
	Outside Answers
	unasked error // why it cannot be asked from here
}

func newReplica(ctx context.Context, p *Patient, s *corev1.Service, pod *corev1.Pod) *Replica {
	r := &Replica{Pod: pod, metrics: 9153}
	r.Addr, _ = netip.ParseAddr(pod.Status.PodIP)
	r.udp, r.tcp = target(s, pod, corev1.ProtocolUDP), target(s, pod, corev1.ProtocolTCP)
	for _, c := range pod.Spec.Containers {
		for _, port := range c.Ports {
			if port.Name == "metrics" {
				r.metrics = port.ContainerPort
			}
		}
	}
	r.First = sync.OnceValues(func() (*scrape.Metrics, error) { return r.scraped(ctx, p) })
	r.Later = sync.OnceValues(func() (*scrape.Metrics, error) {
		s, err := r.First()
		if err != nil {
			return nil, err
		}
		select {
		case <-time.After(time.Until(s.At.Add(between))):
			return r.scraped(ctx, p)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	})
	return r
}

// target returns the port of a Pod that a Service's port 53 leads to, or 0.
func target(s *corev1.Service, pod *corev1.Pod, protocol corev1.Protocol) int32 {
	for _, port := range s.Spec.Ports {
		if port.Port != 53 || port.Protocol != protocol {
			continue
		}
		switch {
		case port.TargetPort.Type == intstr.String:
			return namedPort(pod, port.TargetPort.StrVal, protocol)
		case port.TargetPort.IntVal == 0:
			return port.Port
		}
		return port.TargetPort.IntVal
	}
	return 0
}

func namedPort(pod *corev1.Pod, name string, protocol corev1.Protocol) int32 {
	for _, c := range pod.Spec.Containers {
		for _, port := range c.Ports {
			if port.Name == name && port.Protocol == protocol {
				return port.ContainerPort
			}
		}
	}
	return 0
}

// Ready reports whether the Pod is ready.
func (r *Replica) Ready() bool { return convert.PodReady(r.Status.Conditions) }

// Server returns the container that serves DNS: the one with its port, or the first.
func (r *Replica) Server() *corev1.Container {
	for i := range r.Spec.Containers {
		for _, port := range r.Spec.Containers[i].Ports {
			if port.ContainerPort == r.udp {
				return &r.Spec.Containers[i]
			}
		}
	}
	return &r.Spec.Containers[0]
}
