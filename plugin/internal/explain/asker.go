package explain

import (
	"context"
	"encoding/json"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/explain/fetch"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/objects"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/resolvconf"
)

// FindAsker finds out how the Pod of the options asks, for a running server, which keeps nothing of it. It lists the
// Pods of that name, since the ServiceAccount of CoreDNS may list Pods, and may not get one.
func FindAsker(ctx context.Context, r fetch.Reader, o Options) (*resolvconf.Pod, error) {
	body, err := r.Read(ctx, "/api/v1/namespaces/"+o.Namespace+"/pods", map[string]string{"fieldSelector": "metadata.name=" + o.Pod})
	if err != nil {
		return nil, err
	}
	var list struct{ Items []objects.Pod }
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, fmt.Errorf("the Pods of Namespace %s: %w", o.Namespace, err)
	}
	if len(list.Items) == 0 {
		return nil, noPod(o)
	}
	found := askerOf(&list.Items[0])
	return &found, nil
}

// AbsentError is the error where the Pod that asks is not there, or cannot be seen.
type AbsentError struct{ error }

func absent(format string, args ...any) error { return AbsentError{fmt.Errorf(format, args...)} }

// noPod returns the error where a cluster does not have the Pod that asks.
func noPod(o Options) error {
	return absent("the cluster has no Pod %s/%s: write one of its Pods behind -from, or the Namespace alone", o.Namespace, o.Pod)
}

func askerOf(p *objects.Pod) resolvconf.Pod {
	return resolvconf.Pod{Policy: p.Spec.DNSPolicy, Config: p.Spec.DNSConfig, HostNetwork: p.Spec.HostNetwork, Address: p.Status.PodIP}
}

// podOf returns a Pod that asks in the same way.
func podOf(a *resolvconf.Pod, namespace, name string) *objects.Pod {
	p := &objects.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	p.Spec.DNSPolicy, p.Spec.DNSConfig, p.Spec.HostNetwork, p.Status.PodIP = a.Policy, a.Config, a.HostNetwork, a.Address
	return p
}
