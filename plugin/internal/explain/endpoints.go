package explain

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/inprocess"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/objects"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/spelling"
)

// What helps where nothing else is known of a Pod that is not ready, and where it is not in an EndpointSlice.
const (
	mendProbe     = "mend the readiness probe"
	publish       = mendProbe + ", or set publishNotReadyAddresses: true"
	seeController = "look whether the EndpointSlice controller runs"
	readyByHand   = "set conditions.ready: true in its EndpointSlice"
)

// noPort is for a port that has no records.
func (e *explainer) noPort(s *corev1.Service, labels []string) Cause {
	var have []string
	for _, p := range s.Spec.Ports {
		if p.Name != "" {
			have = append(have, "_"+p.Name+"._"+strings.ToLower(string(orTCP(p.Protocol))))
		}
	}
	asked := strings.Join(labels, ".")
	where := fmt.Sprintf("Service %s/%s", s.Namespace, s.Name)
	switch {
	case len(s.Spec.Ports) == 0:
		return Cause{weight: certain, Text: where + " has no ports", Remedy: "write the port into spec.ports, with a name"}
	case len(have) == 0:
		return Cause{weight: certain, Text: fmt.Sprintf("the ports of %s have no name, and only named ports have SRV records of their own", where), Remedy: "give the port a name in spec.ports"}
	case !slices.Contains(have, asked):
		return Cause{weight: certain, Text: fmt.Sprintf("%s has no port %s; it has %s", where, asked, strings.Join(have, ", ")), Remedy: "write the name of a port that it has"}
	case e.hasEndpoints(s):
		return Cause{weight: certain, Text: fmt.Sprintf("no ready endpoint of %s has the port %s", where, asked), Remedy: "compare the ports of its EndpointSlices with spec.ports"}
	}
	return e.none(s)
}

func orTCP(p corev1.Protocol) corev1.Protocol {
	if p == "" {
		return corev1.ProtocolTCP
	}
	return p
}

// hasEndpoints reports whether the server has a ready endpoint of a Service.
func (e *explainer) hasEndpoints(s *corev1.Service) bool {
	n := e.snapshot().Service(cluster.Key{Namespace: s.Namespace, Name: s.Name})
	return n != nil && slices.ContainsFunc(n.Slices, func(slice *cluster.Slice) bool { return slice.Endpoints.Len() > 0 })
}

// none is for a Service whose name does not exist.
func (e *explainer) none(s *corev1.Service) Cause {
	switch {
	case s.Spec.ClusterIP != corev1.ClusterIPNone:
		return Cause{
			Text:   fmt.Sprintf("Service %s/%s has no ready endpoint, and ignore empty_service leaves it out", s.Namespace, s.Name),
			Remedy: "look why no Pod that it selects is ready", weight: certain,
		}
	case e.known:
		return noneKnown(s)
	}
	return e.noneReady(s)
}

// noneReady is for a headless Service without ready endpoints.
func (e *explainer) noneReady(s *corev1.Service) Cause {
	c := Cause{weight: certain, Text: fmt.Sprintf("Service %s/%s is headless and has no ready endpoint, so its name does not exist", s.Namespace, s.Name)}
	if len(s.Spec.Selector) == 0 {
		return e.noneByHand(s, c)
	}
	if !e.seesPods(s.Namespace) {
		c.Remedy = "look whether Pods that it selects are ready, which you may not see"
		return c
	}
	all := e.objects.Selected(s)
	if len(all) == 0 {
		return Cause{weight: certain, Text: fmt.Sprintf("the selector of the headless Service %s/%s matches no Pod of its Namespace", s.Namespace, s.Name), Remedy: "compare spec.selector with the labels of the Pods"}
	}
	for _, p := range all {
		if p.Ready() && !p.Finished() {
			continue
		}
		fact, remedy := e.notReady(s, p)
		if c.Facts = append(c.Facts, fact); c.Remedy == "" {
			c.Remedy = remedy
		}
	}
	if len(c.Facts) == 0 {
		c.Text, c.Remedy = fmt.Sprintf("Pods that the headless Service %s/%s selects are ready, and none is ready in an EndpointSlice of it", s.Namespace, s.Name), seeController
	}
	return c
}

// noneByHand is for a headless Service whose EndpointSlices somebody else makes.
func (e *explainer) noneByHand(s *corev1.Service, c Cause) Cause {
	all := e.objects.SlicesOf(s)
	ofNames := func(slice *discoveryv1.EndpointSlice) bool { return slice.AddressType == discoveryv1.AddressTypeFQDN }
	switch {
	case len(all) == 0:
		c.Text, c.Remedy = fmt.Sprintf("Service %s/%s is headless, without a selector and without EndpointSlices", s.Namespace, s.Name), "give it a selector, or make EndpointSlices with the label kubernetes.io/service-name"
	case !slices.ContainsFunc(all, func(slice *discoveryv1.EndpointSlice) bool { return !ofNames(slice) }):
		c.Text, c.Remedy = fmt.Sprintf("the EndpointSlices of the headless Service %s/%s have the addressType FQDN, and only addresses are in DNS", s.Namespace, s.Name), "write addresses and the addressType IPv4 or IPv6, or make a Service of the type ExternalName"
	default:
		c.Remedy = readyByHand
	}
	return c
}

// notReady says why a Pod is not ready, and what helps.
func (e *explainer) notReady(s *corev1.Service, p *objects.Pod) (fact, remedy string) {
	o := e.objects.WhyNotReady(p)
	switch {
	case o.Remedy != "":
		remedy = o.Remedy
	case s.Spec.PublishNotReadyAddresses:
		remedy = mendProbe
	default:
		remedy = publish
	}
	return fmt.Sprintf("Pod %s/%s  not ready: %s", p.Namespace, p.Name, o.Why), remedy
}

// noEndpoint is for the name of a Pod below a Service.
func (e *explainer) noEndpoint(s *corev1.Service, label string) Cause {
	p := e.objects.Named(s, label)
	switch {
	case p != nil:
		return e.notBelow(s, label, p)
	case !e.seesPods(s.Namespace):
		return Cause{weight: certain, Text: fmt.Sprintf("Service %s/%s has no ready endpoint %s", s.Namespace, s.Name, label), Remedy: "look whether there is such a Pod, which you may not see"}
	}
	if c, ok := e.byHand(s, label); ok {
		return c
	}
	return Cause{weight: certain, Text: fmt.Sprintf("Service %s/%s has no endpoint %s, and there is no such Pod", s.Namespace, s.Name, label), Remedy: "write the hostname of a Pod that the Service selects"}
}

// byHand is for a label that is in EndpointSlices, as the hostname or the address of an endpoint.
func (e *explainer) byHand(s *corev1.Service, label string) (Cause, bool) {
	for _, slice := range e.objects.SlicesOf(s) {
		for _, end := range slice.Endpoints {
			has := end.Hostname != nil && *end.Hostname != ""
			switch {
			case has && *end.Hostname == label:
				return Cause{weight: certain, Text: fmt.Sprintf("endpoint %s of EndpointSlice %s/%s is not ready, so its name does not exist", label, slice.Namespace, slice.Name), Remedy: readyByHand}, true
			case has && slices.ContainsFunc(end.Addresses, func(a string) bool { return spelling.Dashed(a) == label }):
				return Cause{
					Text:   fmt.Sprintf("the endpoint of Service %s/%s with this address has the hostname %s, and is named by that", s.Namespace, s.Name, *end.Hostname),
					Remedy: "write " + e.spelled(*end.Hostname+"."+s.Name, s.Namespace), weight: certain,
				}, true
			}
		}
	}
	return Cause{}, false
}

// notBelow says why a Pod has no name below a Service.
func (e *explainer) notBelow(s *corev1.Service, label string, p *objects.Pod) Cause {
	c := Cause{weight: certain}
	selected := slices.Contains(e.objects.Selected(s), p)
	byPodName := e.served.View.PodNames && p.Spec.Hostname == ""
	switch where := fmt.Sprintf("Pod %s/%s", p.Namespace, p.Name); {
	case p.Spec.Subdomain != s.Name && !byPodName:
		c.Text = fmt.Sprintf("%s has the subdomain %q, and has a name below Service %s only if both are the same", where, p.Spec.Subdomain, s.Name)
		c.Remedy = fmt.Sprintf("set spec.subdomain: %s in the Pod (serviceName in a StatefulSet)", s.Name)
		if other, ok := objects.Find(e.objects.Services, p.Namespace, p.Spec.Subdomain); ok && slices.Contains(e.objects.Selected(other), p) && !selected && p.Spec.Hostname != "" {
			c.Remedy = "write " + e.spelled(p.Spec.Hostname+"."+p.Spec.Subdomain, p.Namespace)
		}
	case p.Spec.Hostname == "" && !byPodName:
		c.Text, c.Remedy = where+" has no spec.hostname, so its endpoint is named by its address", "set spec.hostname: "+label
	case !selected:
		c.Text, c.Remedy = fmt.Sprintf("the selector of Service %s/%s does not match %s", s.Namespace, s.Name, where), "give the Pod the labels of spec.selector"
	case p.Spec.Hostname != label && !byPodName:
		c.Text, c.Remedy = fmt.Sprintf("%s has the hostname %s, and its endpoint is named by that", where, p.Spec.Hostname), "write "+e.spelled(p.Spec.Hostname+"."+s.Name, s.Namespace)
	case !p.Ready() || p.Finished():
		c.Text = where + " is not ready, so its name does not exist"
		fact, remedy := e.notReady(s, p)
		c.Facts, c.Remedy = []string{fact}, remedy
	default:
		c.Text, c.Remedy = fmt.Sprintf("no EndpointSlice of Service %s/%s has %s as ready yet", s.Namespace, s.Name, where), seeController
	}
	return c
}

// causeOfPodName is for names such as 10-1-2-3.shop.pod.
func (e *explainer) causeOfPodName(label, namespace string, replies []inprocess.Reply) Cause {
	address := spelling.AddressIn(label)
	switch {
	case !e.objects.Namespaces[namespace]:
		return Cause{Text: e.fetched.Absent(namespace), weight: noNamespace}
	case !e.exposes(namespace):
		return hidden(namespace)
	case e.podsOff():
		return Cause{Text: "the Corefile answers no names of Pods by address", Remedy: "pods verified", weight: certain}
	case exists(replies):
		return Cause{Text: label + " is an address of the other family", weight: certain}
	case !address.IsValid():
		return Cause{Text: label + " is no address, and Pods have names by address alone, such as 10-1-2-3." + namespace + ".pod", Remedy: "write the name of a Service, or of a Pod below a headless Service", weight: certain}
	}
	c := Cause{Text: fmt.Sprintf("no Pod of Namespace %s has the address %s", namespace, address), weight: certain}
	for _, p := range e.objects.Pods {
		switch {
		case p.Status.PodIP != address.String():
		case p.Namespace != namespace:
			c.Text += fmt.Sprintf("; Pod %s/%s has it", p.Namespace, p.Name)
			c.Remedy = "write " + e.spelled(label+"."+p.Namespace+".pod", "")
		case p.Finished():
			c.Text = fmt.Sprintf("Pod %s/%s had the address %s, and has ended (phase %s)", p.Namespace, p.Name, address, p.Status.Phase)
		}
	}
	return c
}
