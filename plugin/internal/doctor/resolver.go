package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/api"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

// resolver says whom Pods really ask.
func resolver(ctx context.Context, p *patient.Patient) Result {
	s, err := p.Service()
	if err != nil {
		return unseen("the Service of DNS", err)
	}
	k, err := p.Kubelets()
	if err != nil {
		return unseen("what Pods have in their resolv.conf", err)
	}
	onNodes, err := caches(p)
	if err != nil {
		return unseen("caches on nodes", err)
	}
	var all []Result
	for _, settings := range k.Settings {
		if len(settings.ClusterDNS) == 0 {
			all = append(all, yellow("see the line service", "%s has no clusterDNS, so Pods ask the resolvers of their node", k.Source))
		}
		for _, address := range settings.ClusterDNS {
			all = append(all, asks(s, address, onNodes))
		}
	}
	if own := ownResolvers(ctx, p); own != "" {
		all = append(all, green("%s", own))
	}
	return worst(all...)
}

// asks says who answers at an address that Pods have.
func asks(s *corev1.Service, address string, caches map[string][]string) Result {
	for _, name := range slices.Sorted(maps.Keys(caches)) {
		if slices.Contains(caches[name], address) {
			return green("Pods ask %s, which is the cache %s on their node; it asks this server over TCP", address, name)
		}
	}
	switch {
	case slices.Contains(s.Spec.ClusterIPs, address):
		near := ""
		if d := s.Spec.TrafficDistribution; d != nil {
			near = ", the nearest first (" + *d + ")"
		}
		return green("Pods ask %s, the Service, and so the replicas%s", address, near)
	case linkLocal(address):
		return yellow("look on a node: ss -lnu sport = :53", "Pods ask %s on their node, where no Pod of a cache is seen: a service of the node, such as LocalDNS of AKS, may answer", address)
	}
	return yellow("see the line service", "Pods ask %s, which is not this server", address)
}

// caches returns the workloads that are caches on nodes, with the addresses that each takes.
func caches(p *patient.Patient) (map[string][]string, error) {
	pods, err := p.Beside()
	if err != nil {
		return nil, err
	}
	found := map[string][]string{}
	for i := range pods {
		if !onNode(&pods[i]) || !servesDNSAt(&pods[i]) && pods[i].Labels["k8s-app"] != "node-local-dns" {
			continue
		}
		found[owner(&pods[i])] = localAddresses(&pods[i])
	}
	return found, nil
}

// localAddresses returns the addresses behind -localip of NodeLocal DNSCache. It takes the Service's address from
// kube-proxy if that is among them.
func localAddresses(pod *corev1.Pod) (all []string) {
	for _, c := range pod.Spec.Containers {
		words := slices.Concat(c.Command, c.Args)
		for i, word := range words {
			name, value, joined := strings.Cut(strings.TrimLeft(word, "-"), "=")
			if name == "localip" && !joined && i+1 < len(words) {
				value = words[i+1]
			}
			if name == "localip" {
				all = append(all, strings.Split(value, ",")...)
			}
		}
	}
	return all
}

// ownResolvers says how many Pods ask somebody else, by their own settings.
func ownResolvers(ctx context.Context, p *patient.Patient) string {
	pods, more, err := api.List[corev1.Pod](ctx, p.API, "/api/v1/pods")
	if err != nil {
		return "whether Pods name resolvers of their own cannot be seen"
	}
	n, names := 0, map[string]bool{}
	for i := range pods {
		if c := pods[i].Spec.DNSConfig; c != nil && len(c.Nameservers) > 0 {
			n++
			for _, server := range c.Nameservers {
				names[server] = true
			}
		}
	}
	first := ""
	if more {
		first = "the first "
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %s%d Pods name resolvers of their own: %s", n, first, len(pods), strings.Join(slices.Sorted(maps.Keys(names)), ", "))
}
