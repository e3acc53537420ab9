package convert

import (
	"hash/maphash"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// EndedPhases are the phases of Pods whose addresses may already belong to another Pod. In phase
// Unknown the containers may run on, but the Pod's kubelet is silent. The API server is asked to
// leave such Pods out, so a Pod that enters one of these phases arrives as deleted.
var EndedPhases = []corev1.PodPhase{corev1.PodSucceeded, corev1.PodFailed, corev1.PodUnknown}

// Ended reports whether a Pod is in one of the EndedPhases.
func Ended(p *corev1.Pod) bool { return slices.Contains(EndedPhases, p.Status.Phase) }

// PodReady reports whether a Pod is ready, given the conditions of its status.
func PodReady(conditions []corev1.PodCondition) bool {
	return slices.ContainsFunc(conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

// Pod converts a Pod. It returns nil for a Pod that has ended or has no address.
func (c *Converter) Pod(p *corev1.Pod) *cluster.Pod {
	if Ended(p) {
		return nil
	}
	addrs := parseAddrs(PodIPs(&p.Status))
	if len(addrs) == 0 {
		return nil
	}
	pod := cluster.Pod{
		Namespace:   c.pool.text(p.Namespace),
		ID:          PodID(KeyOf(p)),
		UID:         PodUID(p),
		HostNetwork: p.Spec.HostNetwork,
	}
	profile := cluster.Profile{Resolver: c.resolver(&p.Spec)}
	if c.settings.PodLabels {
		profile.Name, profile.Labels = p.Name, c.labels(p.Labels)
	}
	return cluster.NewPod(pod, profile, addrs...)
}

// PodID returns a hash of a Pod's namespace and name, which would take more memory than the
// rest of the Pod. The seed is secret, so nobody can choose names that collide. By chance,
// two of a million Pods collide in one of forty million clusters.
func PodID(key cluster.Key) uint64 { return maphash.Comparable(podSeed, key) }

// PodUID returns a hash of a Pod's UID, which differs between Pods that have the same name
// one after another. The UID itself has 36 octets; two Pods of one name collide by chance
// once in 2^64 times.
func PodUID(p metav1.Object) uint64 { return maphash.Comparable(podSeed, p.GetUID()) }

var podSeed = maphash.MakeSeed()

// PodIPs returns the addresses of a Pod. A manifest written by hand may have the older
// field alone; the API server sets both.
func PodIPs(status *corev1.PodStatus) []string {
	if len(status.PodIPs) == 0 && status.PodIP != "" {
		return []string{status.PodIP}
	}
	texts := make([]string, len(status.PodIPs))
	for i := range status.PodIPs {
		texts[i] = status.PodIPs[i].IP
	}
	return texts
}

// labels returns the labels of a Pod in shared strings, because most Pods have the same
// ones.
func (c *Converter) labels(all map[string]string) map[string]string {
	if len(all) == 0 {
		return nil
	}
	kept := make(map[string]string, len(all))
	for key, value := range all {
		kept[c.pool.text(key)] = c.pool.text(value)
	}
	return kept
}

// resolver returns the settings of a Pod's stub resolver, or nil for the default settings.
func (c *Converter) resolver(spec *corev1.PodSpec) *cluster.Resolver {
	policy, searches, dots := spec.DNSPolicy, []string(nil), -1
	if policy == "" {
		policy = corev1.DNSClusterFirst
	}
	if spec.DNSConfig != nil {
		searches, dots = spec.DNSConfig.Searches, ndots(spec.DNSConfig.Options)
	}
	if policy == corev1.DNSClusterFirst && len(searches) == 0 && dots < 0 {
		return nil
	}
	return c.pool.resolver(string(policy), searches, dots)
}

// ndots returns the last ndots option, which is the one that counts in resolv.conf(5), or
// -1.
func ndots(options []corev1.PodDNSConfigOption) int {
	found := -1
	for _, o := range options {
		if o.Name != "ndots" || o.Value == nil {
			continue
		}
		if n, err := strconv.Atoi(*o.Value); err == nil && n >= 0 {
			found = n
		}
	}
	return found
}
