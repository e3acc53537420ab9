package objects

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Closing53 returns the NetworkPolicies for what a Pod sends, if none of them opens port 53 of others than Pods: those that do
// not open it at all, and those that open that of Pods alone. None is for a Pod in its node's network.
func (o *Set) Closing53(p *Pod) (closing, toPods []string) {
	if p.Spec.HostNetwork {
		return nil, nil
	}
	for _, policy := range o.policies {
		if policy.Namespace != p.Namespace || !slices.Contains(policy.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) {
			continue
		}
		selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
		if err != nil || !selector.Matches(labels.Set(p.Labels)) {
			continue
		}
		switch {
		case slices.ContainsFunc(policy.Spec.Egress, opens53Beyond):
			return nil, nil
		case slices.ContainsFunc(policy.Spec.Egress, opens53):
			toPods = append(toPods, policy.Name)
		default:
			closing = append(closing, policy.Name)
		}
	}
	return closing, toPods
}

// opens53Beyond reports whether a rule opens port 53 of others than Pods.
func opens53Beyond(rule networkingv1.NetworkPolicyEgressRule) bool {
	others := len(rule.To) == 0 || slices.ContainsFunc(rule.To, func(p networkingv1.NetworkPolicyPeer) bool { return p.IPBlock != nil })
	return others && opens53(rule)
}

func opens53(rule networkingv1.NetworkPolicyEgressRule) bool {
	return len(rule.Ports) == 0 || slices.ContainsFunc(rule.Ports, func(p networkingv1.NetworkPolicyPort) bool {
		if p.Port != nil && p.Port.Type == intstr.String {
			return true // the name of a port, which may be that of 53
		}
		return p.Port == nil || p.Port.IntValue() == 53 || p.EndPort != nil && p.Port.IntValue() <= 53 && *p.EndPort >= 53
	})
}
