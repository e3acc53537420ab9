package objects

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/kube/convert"
)

// Ready reports whether a Pod is ready.
func (p *Pod) Ready() bool { return convert.PodReady(p.Status.Conditions) }

// Finished reports whether the containers of a Pod have ended for good. A Pod in phase Unknown may go on: convert.Ended
// leaves it out of DNS all the same, since its address may be that of another Pod by now.
func (p *Pod) Finished() bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

// Obstacle is what keeps a Pod from being ready.
type Obstacle struct {
	Why    string
	Remedy string // empty if the readiness probe is to be mended
}

// WhyNotReady says why a Pod is not ready, as far as its status and kubelet's events do.
func (o *Set) WhyNotReady(p *Pod) Obstacle {
	describe := "see what kubectl -n " + p.Namespace + " describe pod " + p.Name + " says, and "
	scheduled := p.condition(corev1.PodScheduled)
	switch waits := p.waiting(); {
	case p.Finished():
		return Obstacle{said("phase "+string(p.Status.Phase)+": the Pod has ended", p.Status.Reason, p.Status.Message), describe + "let it run on, for only Pods that run have names"}
	case p.DeletionTimestamp != nil:
		return Obstacle{"the Pod is being deleted", "wait for the Pod that takes its place"}
	case scheduled.Status == corev1.ConditionFalse:
		return Obstacle{said("it has no node yet", scheduled.Reason, scheduled.Message), describe + "let it have a node"}
	case waits != "":
		return Obstacle{waits, describe + "let the container start"}
	}
	ready := p.condition(corev1.PodReady)
	if failed := o.lastProbe(p); failed != "" {
		return Obstacle{Why: failed}
	}
	if ready.Status != corev1.ConditionTrue && ready.Reason+ready.Message != "" {
		return Obstacle{Why: strings.TrimSpace(ready.Reason + " " + ready.Message)}
	}
	return Obstacle{Why: "phase " + string(p.Status.Phase)}
}

// waiting says which container of a Pod does not start. The others wait for the init containers.
func (p *Pod) waiting() string {
	for i, all := range [][]container{p.Status.InitContainerStatuses, p.Status.ContainerStatuses} {
		for _, c := range all {
			kind := []string{"init container ", "container "}[i] + c.Name
			switch ended := c.State.Terminated; {
			case c.Ready:
			case c.State.Waiting != nil && c.State.Waiting.Reason != "PodInitializing":
				return strings.TrimSpace(fmt.Sprintf("%s waits: %s %s", kind, c.State.Waiting.Reason, c.State.Waiting.Message))
			case ended != nil && ended.ExitCode != 0:
				return fmt.Sprintf("%s has ended with exit code %d: %s", kind, ended.ExitCode, ended.Reason)
			case i == 0 && c.State.Running != nil:
				return kind + " still runs"
			}
		}
	}
	return ""
}

func said(what string, more ...string) string {
	if behind := strings.TrimSpace(strings.Join(more, " ")); behind != "" {
		what += ": " + behind
	}
	return what
}

// condition returns a condition of a Pod, or an empty one.
func (p *Pod) condition(kind corev1.PodConditionType) corev1.PodCondition {
	i := slices.IndexFunc(p.Status.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind })
	if i < 0 {
		return corev1.PodCondition{}
	}
	return p.Status.Conditions[i]
}

// lastProbe returns what kubelet has said last of a readiness probe of a Pod that failed.
func (o *Set) lastProbe(p *Pod) (said string) {
	var last *corev1.Event
	for _, e := range o.events {
		about := e.Namespace == p.Namespace && e.InvolvedObject.Kind == "Pod" && e.InvolvedObject.Name == p.Name
		if about && strings.HasPrefix(e.Message, "Readiness probe") && (last == nil || last.LastTimestamp.Before(&e.LastTimestamp)) {
			last, said = e, e.Message
		}
	}
	said, _, _ = strings.Cut(said, "\n")
	return strings.TrimSpace(said)
}

// Unready reports whether no EndpointSlice of a Service has a ready endpoint, although there are some.
func (o *Set) Unready(s *corev1.Service) bool {
	all := o.SlicesOf(s)
	for _, slice := range all {
		for _, e := range slice.Endpoints {
			if e.Conditions.Ready == nil || *e.Conditions.Ready {
				return false
			}
		}
	}
	return len(all) > 0
}
