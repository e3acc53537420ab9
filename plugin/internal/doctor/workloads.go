package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

// workloads checks that one server answers, and not two.
func workloads(_ context.Context, p *patient.Patient) Result {
	replicas, err := p.Replicas()
	if err != nil {
		return unseen("the Pods of DNS", err)
	}
	behind := map[string]string{} // workloads and their images
	for _, r := range replicas {
		behind[owner(r.Pod)] = r.Server().Image
	}
	all := slices.Sorted(maps.Keys(behind))
	if images := slices.Sorted(maps.Values(behind)); len(slices.Compact(images)) > 1 {
		var each []string
		for _, name := range all {
			each = append(each, name+" with "+behind[name])
		}
		return yellow("remove one of them, unless you are moving from one to the other", "%d workloads answer behind the Service: %s", len(all), strings.Join(each, ", "))
	}
	if idle := besides(p, behind); len(idle) > 0 {
		return yellow("remove it, or give its Pods the labels that the Service selects", "%s serves DNS beside the Service, which does not lead to it", strings.Join(idle, ", "))
	}
	return green("%s behind the Service: %s", number(len(replicas), "replica"), strings.Join(all, ", "))
}

// besides returns the other workloads of the Namespace that serve DNS, but for caches on nodes.
func besides(p *patient.Patient, behind map[string]string) []string {
	pods, err := p.Beside()
	if err != nil {
		return nil
	}
	found := map[string]bool{}
	for i := range pods {
		name := owner(&pods[i])
		if _, known := behind[name]; !known && servesDNSAt(&pods[i]) && !onNode(&pods[i]) {
			found[name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// servesDNSAt reports whether a Pod says that it listens for DNS.
func servesDNSAt(pod *corev1.Pod) bool {
	return slices.ContainsFunc(pod.Spec.Containers, func(c corev1.Container) bool {
		return slices.ContainsFunc(c.Ports, func(port corev1.ContainerPort) bool {
			return port.ContainerPort == 53 || port.Name == "dns" || port.Name == "dns-tcp"
		})
	})
}

// onNode reports whether a Pod is a cache for its node.
func onNode(pod *corev1.Pod) bool {
	return pod.Spec.HostNetwork || pod.Labels["k8s-app"] == "node-local-dns"
}

// owner returns the workload of a Pod in words.
func owner(pod *corev1.Pod) string {
	for _, o := range pod.OwnerReferences {
		if o.Controller == nil || !*o.Controller {
			continue
		}
		if o.Kind == "ReplicaSet" {
			return "Deployment " + strings.TrimSuffix(o.Name, "-"+pod.Labels["pod-template-hash"])
		}
		return fmt.Sprintf("%s %s", o.Kind, o.Name)
	}
	return "Pod " + pod.Name
}
