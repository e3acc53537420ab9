package differential

import (
	"fmt"
	"strings"

	"github.com/coredns/caddy/caddyfile"
	"github.com/coredns/coredns/plugin"
	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/test/kit/reverse"
)

const (
	externalPlugin    = "k8s_external"
	externalServers   = "dns" // the label above the name server's
	clusterSetService = "multicluster.kubernetes.io/service-name"
	clusterSetCluster = "multicluster.kubernetes.io/source-cluster"
)

// readExternal reads the zones of k8s_external, which have a configuration of their own.
func (c *corefile) readExternal(block caddyfile.ServerBlock) error {
	tokens, ok := block.Tokens[externalPlugin]
	if !ok {
		return nil
	}
	x := *c
	x.external, x.origins, x.reverse, x.through, x.ttl = true, nil, nil, nil, defaultTTL
	d := caddyfile.NewDispenserTokens(c.name, tokens)
	d.Next()
	for _, origin := range plugin.OriginsFromArgsOrServerBlock(d.RemainingArgs(), block.Keys) {
		x.addOrigin(origin)
		x.reverseFirst = x.reverseFirst || len(x.origins) == 0
	}
	for d.NextBlock() {
		x.headless = x.headless || d.Val() == "headless"
		if err := x.readProperty(d.Val(), d.RemainingArgs()); err != nil {
			return err
		}
	}
	c.outside = &x
	return nil
}

func (c *corefile) addOrigin(origin string) {
	if dns.IsSubDomain("in-addr.arpa.", origin) || dns.IsSubDomain("ip6.arpa.", origin) {
		c.reverse = append(c.reverse, origin)
	} else {
		c.origins = append(c.origins, origin)
	}
}

// of returns the zones that a name is in: those of the cluster, those of its cluster set,
// or those outside.
func (s *scene) of(name string) *scene {
	for _, beside := range s.beside {
		if _, ok := beside.locate(name); ok {
			return beside
		}
	}
	return s
}

// addBeside adds the names that k8s_external and multicluster show.
func (s *scene) addBeside() {
	main := s
	if x := s.outside; x != nil {
		outside := &scene{corefile: x, world: s.world}
		outside.pointers = s.world.externalPointers(outside)
		s.beside = append(s.beside, outside)
	}
	if len(s.sets) > 0 {
		c := *s.corefile
		c.origins, c.reverse = s.sets, nil
		s.beside = append(s.beside, &scene{corefile: &c, world: s.world.clusterSet()})
	}
	for _, beside := range s.beside {
		beside.main = main
	}
}

// externalIPs returns the external addresses of a Service.
func externalIPs(s *corev1.Service) []string {
	if s == nil {
		return nil
	}
	all := append([]string(nil), s.Spec.ExternalIPs...)
	for _, ingress := range s.Status.LoadBalancer.Ingress {
		if ingress.IP != "" {
			all = append(all, ingress.IP)
		}
	}
	return all
}

// externalHosts returns the hostnames that load balancers have in place of addresses.
func externalHosts(s *corev1.Service) []string {
	if s == nil {
		return nil
	}
	var all []string
	for _, ingress := range s.Status.LoadBalancer.Ingress {
		if ingress.IP == "" && ingress.Hostname != "" {
			all = append(all, ingress.Hostname)
		}
	}
	return all
}

func published(s *corev1.Service) bool { return len(externalIPs(s))+len(externalHosts(s)) > 0 }

// externalPointers returns the reverse names of external addresses.
func (w *world) externalPointers(s *scene) map[string]bool {
	names := map[string]bool{}
	for _, service := range w.services {
		for _, address := range externalIPs(service) {
			if s.visible(service.Namespace) {
				for _, name := range reverse.Names(address) {
					names[name] = true
				}
			}
		}
	}
	return names
}

// besideNames returns the names in the zones beside the cluster's.
func (c *corefile) besideNames(w *world) []string {
	s := nameSet{}
	if c.outside != nil {
		for _, origin := range c.outside.origins {
			w.addExternal(s, strings.TrimSuffix(origin, "."))
		}
		for _, origin := range c.outside.reverse {
			s.add("%s", strings.TrimSuffix(origin, "."))
			s.add("balanced.zoo.%s", strings.TrimSuffix(origin, "."))
		}
		for _, service := range w.services {
			s.addAddresses(externalIPs(service))
		}
	}
	set := w.clusterSet()
	for _, origin := range c.sets {
		set.addForward(s, strings.TrimSuffix(origin, "."))
	}
	return s.sorted()
}

func (w *world) addExternal(s nameSet, origin string) {
	for _, name := range []string{"", "dns.", "ns1.dns.", "ns2.dns.", "x.ns1.dns.", "x.dns.", "never.", "never.zoo.", "ns.dns.", "svc."} {
		s.add("%s%s", name, origin)
	}
	for namespace := range w.namespaces {
		s.add("%s.%s", namespace, origin)
	}
	for _, service := range w.services {
		name := fmt.Sprintf("%s.%s.%s", service.Name, service.Namespace, origin)
		s.add("%s", name)
		for _, port := range service.Spec.Ports {
			s.addPort(port.Name, string(port.Protocol), name)
		}
		if published(service) {
			s.add("x.%s", name)
			s.add("_._tcp.%s", name)
		}
	}
	for _, slice := range w.slices {
		s.addSliceBelow(slice, fmt.Sprintf("%s.%s.%s", serviceName(slice), slice.Namespace, origin))
	}
}
