package patient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/api"
)

// Settings are what kubelet writes into the resolv.conf of Pods.
type Settings struct {
	ClusterDNS    []string `json:"clusterDNS"`
	ClusterDomain string   `json:"clusterDomain"`
}

// Kubelets are the settings of some kubelets.
type Kubelets struct {
	Settings []Settings // without repetition
	Source   string     // where they come from
}

// mostNodes is how many Kubelets are asked.
const mostNodes = 16

// askKubelets asks Kubelets for their settings or, if that is not allowed, reads kubeadm's ConfigMap for them.
func (p *Patient) askKubelets(ctx context.Context) (Kubelets, error) {
	found, err := p.askNodes(ctx)
	if err == nil || api.Unasked(err) {
		return found, err
	}
	text, err2 := p.configMap(ctx, "kube-system", "kubelet-config", "kubelet")
	if err2 != nil {
		return found, errors.Join(err, err2)
	}
	var s Settings
	if err := yaml.Unmarshal([]byte(text), &s); err != nil {
		return found, fmt.Errorf("kubelet-config: %w", err)
	}
	return Kubelets{[]Settings{s}, "the ConfigMap kubelet-config"}, nil
}

// askNodes asks the first nodes that are ready.
func (p *Patient) askNodes(ctx context.Context) (k Kubelets, err error) {
	nodes, _, err := api.List[corev1.Node](ctx, p.API, "/api/v1/nodes")
	if err != nil {
		return k, api.May("list nodes", err)
	}
	nodes = slices.DeleteFunc(nodes, func(n corev1.Node) bool { return !nodeReady(&n) })
	nodes = nodes[:min(mostNodes, len(nodes))]
	all, errs := make([]Settings, len(nodes)), make([]error, len(nodes))
	var asked sync.WaitGroup
	for i := range nodes {
		asked.Go(func() { all[i], errs[i] = p.configz(ctx, nodes[i].Name) })
	}
	asked.Wait()
	n := 0
	for i := range all {
		if errs[i] != nil {
			continue
		}
		n++
		if !slices.ContainsFunc(k.Settings, all[i].equal) {
			k.Settings = append(k.Settings, all[i])
		}
	}
	k.Source = fmt.Sprintf("kubelet of %d of %d nodes", n, len(nodes))
	if n == 0 {
		return k, errors.Join(append(errs[:min(1, len(errs))], errors.New("no kubelet was asked"))...)
	}
	return k, nil
}

func nodeReady(n *corev1.Node) bool {
	return slices.ContainsFunc(n.Status.Conditions, func(c corev1.NodeCondition) bool {
		return c.Type == corev1.NodeReady && c.Status == corev1.ConditionTrue
	})
}

// configz asks one kubelet, by way of the API server.
func (p *Patient) configz(ctx context.Context, node string) (Settings, error) {
	body, err := p.API.Raw(ctx, "/api/v1/nodes/"+node+"/proxy/configz", nil)
	if err != nil {
		return Settings{}, api.May("get nodes/proxy", err)
	}
	var found struct {
		Config Settings `json:"kubeletconfig"`
	}
	err = json.Unmarshal(body, &found)
	return found.Config, err
}

func (s Settings) equal(other Settings) bool {
	return s.ClusterDomain == other.ClusterDomain && slices.Equal(s.ClusterDNS, other.ClusterDNS)
}
