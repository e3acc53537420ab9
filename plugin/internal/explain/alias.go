package explain

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/explain/inprocess"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/objects"
)

// maxAliases is the largest number of aliases that are followed.
const maxAliases = 16

// alias says why a Service that is an alias leads to nothing.
func (e *explainer) alias(s *corev1.Service, replies []inprocess.Reply) Cause {
	if len(dns.SplitDomainName(s.Spec.ExternalName)) == 0 {
		return Cause{weight: certain, Text: fmt.Sprintf("Service %s/%s is an alias of nothing", s.Namespace, s.Name), Remedy: "write a name into spec.externalName"}
	}
	c := Cause{weight: certain, Text: fmt.Sprintf("Service %s/%s is an alias of %s", s.Namespace, s.Name, s.Spec.ExternalName)}
	last, loop := e.follow(s)
	if last != s {
		c.Text += fmt.Sprintf(", which leads to Service %s/%s, an alias of %s", last.Namespace, last.Name, last.Spec.ExternalName)
	}
	target := dns.CanonicalName(last.Spec.ExternalName)
	switch zone, ours := e.zoneOf(target); {
	case loop:
		c.Text, c.Remedy = c.Text+", and so leads in a circle", "write a name into spec.externalName that leads to an address"
	case isAddress(target):
		c.Text, c.Remedy = c.Text+", which is an address: an alias needs a name", "make a headless Service without a selector, with an EndpointSlice that has the address"
	case ours:
		why := e.causeIn(target, zone, replies)
		c.Text, c.Remedy, c.Facts = c.Text+": "+why.Text, why.Remedy, why.Facts
	case unanswered(replies):
		c.Text, c.Remedy = c.Text+", for which the upstream has no answer", "look whether the upstream of forward can be reached from this server"
	case exists(replies):
		c.Text, c.Remedy = c.Text+", which has no such records", "write a name into spec.externalName that has them"
	default:
		c.Text += fmt.Sprintf(", which is answered with %s", replies[0].Rcode)
		c.Remedy = e.betterTarget(last)
	}
	return c
}

// follow returns the last of the Services that lead from alias to alias, and reports whether they lead in a circle.
func (e *explainer) follow(s *corev1.Service) (last *corev1.Service, loop bool) {
	for range maxAliases {
		t, ok := e.touches(dns.CanonicalName(s.Spec.ExternalName))
		if !ok || t.pod || len(t.below) > 0 {
			return s, false
		}
		target, ok := objects.Find(e.objects.Services, t.Namespace, t.Name)
		if !ok || target.Spec.Type != corev1.ServiceTypeExternalName || len(dns.SplitDomainName(target.Spec.ExternalName)) == 0 {
			return s, false
		}
		s = target
	}
	return s, true
}

func isAddress(name string) bool {
	_, err := netip.ParseAddr(trim(name))
	return err == nil
}

// betterTarget returns the remedy for an alias of a name that does not exist. A target has no search path, so one in a Pod's
// short form leads nowhere.
func (e *explainer) betterTarget(s *corev1.Service) string {
	labels := dns.SplitDomainName(s.Spec.ExternalName)
	service, namespace := labels[0], s.Namespace
	if len(labels) > 1 {
		namespace = labels[1]
	}
	short := len(labels) <= 2 || len(labels) == 3 && labels[2] == "svc"
	if _, ok := objects.Find(e.objects.Services, namespace, service); ok && short {
		return fmt.Sprintf("write %s.%s.svc.%s into spec.externalName: it takes a whole name, because no search path is for it", service, namespace, trim(e.zones()[0]))
	}
	return "write a name into spec.externalName that exists"
}

// spelled returns what the Pod that asks writes for a name in a Namespace: the shortest form that its search path completes.
// Without a Namespace the name is below the zone.
func (e *explainer) spelled(name, namespace string) string {
	zone := trim(e.zones()[0])
	searches := func(suffix string) bool {
		for _, s := range e.result.ResolvConf.Search {
			if dns.CanonicalName(s) == dns.CanonicalName(suffix) {
				return true
			}
		}
		return false
	}
	switch {
	case namespace == "":
		return name + "." + zone + "."
	case namespace == e.Namespace && searches(namespace+".svc."+zone) && strings.Count(name, ".") < e.result.ResolvConf.Ndots:
		return name
	case searches("svc."+zone) && strings.Count(name, ".")+1 < e.result.ResolvConf.Ndots:
		return name + "." + namespace
	}
	return fmt.Sprintf("%s.%s.svc.%s.", name, namespace, zone)
}
