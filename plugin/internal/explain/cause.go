package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/inprocess"
)

// Cause is why a question is answered as it is. The weight says how much it tells of what the asker wants: a
// name of a Service that exists tells more than a Namespace that does not.
type Cause struct {
	Text   string   `json:"text"`
	Remedy string   `json:"remedy,omitempty"`
	Facts  []string `json:"facts,omitempty"` // objects and what is known of them
	weight int
	unsure bool // what the question is answered cannot be told
}

// The weights of causes.
const (
	noForm = iota
	noNamespace
	noService
	elsewhere
	certain
)

// failedOutside is the weight of a name outside that nobody answers. What the cluster has for an earlier question tells more
// of a name that is written without a dot.
const failedOutside = elsewhere

// ahead returns the plugin that answered in place of the cluster, or "".
func (e *explainer) ahead(replies []inprocess.Reply) string {
	for _, r := range replies {
		if r.Plugin != "" && r.Plugin != e.served.Directive && r.Plugin != "cache" && !slices.Contains(e.behind(), r.Plugin) {
			return r.Plugin
		}
	}
	return ""
}

// behind returns the plugins that are asked after the cluster.
func (e *explainer) behind() []string {
	i := slices.Index(dnsserver.Directives, e.served.Directive)
	return dnsserver.Directives[i+1:]
}

// cause says why a name of the cluster has the replies that it has. zone is the cluster's zone that the name
// is in.
func (e *explainer) cause(name, zone string, replies []inprocess.Reply) Cause {
	labels := dns.SplitDomainName(strings.TrimSuffix(strings.TrimSuffix(name, zone), "."))
	n := len(labels)
	switch plugin := e.ahead(replies); {
	case !e.snapshot().Synced():
		return Cause{
			Text:   "the server has no data of the cluster yet, and answers SERVFAIL until the API server has sent all of it",
			Remedy: "look into the server's log: can it reach the API server, and may it list and watch each kind?", weight: certain,
		}
	case plugin != "" && !answered(replies):
		return Cause{
			Text:   fmt.Sprintf("%s, which is asked ahead of %s, answers for this name", plugin, e.served.Directive),
			Remedy: fmt.Sprintf("let names of %s fall through in %s", trim(zone), plugin), weight: certain,
		}
	case n == 0:
		return Cause{Text: "the zone of the cluster itself"}
	case labels[n-1] == "svc" && n >= 2:
		return e.causeOfService(labels[:n-1], replies)
	case labels[n-1] == "pod" && n == 3:
		return e.causeOfPodName(labels[0], labels[1])
	}
	return Cause{Text: "no name of the cluster has this form: Services are NAME.NAMESPACE.svc." + trim(zone)}
}

func trim(name string) string { return strings.TrimSuffix(name, ".") }

// causeOfService is for labels that end with a Namespace.
func (e *explainer) causeOfService(labels []string, replies []inprocess.Reply) Cause {
	namespace := labels[len(labels)-1]
	switch {
	case !e.objects.namespaces[namespace]:
		return e.noNamespace(labels, namespace)
	case !e.exposes(namespace):
		return Cause{Text: fmt.Sprintf("Namespace %s exists, but the Corefile hides it (namespaces or namespace_labels)", namespace), Remedy: "add it to that line", weight: certain}
	case len(labels) == 1:
		return Cause{Text: "the name of a Namespace has no records"}
	}
	s, ok := find(e.objects.services, namespace, labels[len(labels)-2])
	if !ok {
		return e.noService(labels, namespace)
	}
	c := e.causeBelow(s, labels[:len(labels)-2], replies)
	c.Facts = slices.Concat([]string{describeService(s)}, e.factsKnown(cluster.Key{Namespace: s.Namespace, Name: s.Name}), c.Facts)
	return c
}

// noNamespace is for a Namespace that does not exist.
func (e *explainer) noNamespace(labels []string, namespace string) Cause {
	c := Cause{Text: fmt.Sprintf("Namespace %s does not exist", namespace), weight: noNamespace}
	if len(labels) > 1 && len(labels) <= mostLabels {
		e.foundElsewhere(&c, labels, "a Service "+labels[len(labels)-2])
	}
	return c
}

// foundElsewhere says which other Namespaces have the Service, if there are any. what is the Service in words.
func (e *explainer) foundElsewhere(c *Cause, labels []string, what string) bool {
	last := len(labels) - 1
	others := e.objects.elsewhere(labels[last-1], labels[last])
	if len(others) == 0 {
		return false
	}
	c.Text += fmt.Sprintf("; Namespace %s has %s", strings.Join(others, ", "), what)
	c.Remedy, c.weight = fmt.Sprintf("write %s.%s", strings.Join(labels[:last], "."), others[0]), elsewhere
	return true
}

// mostLabels is the largest number of labels ahead of "svc", but for names of ports: an endpoint, its Service and
// the Namespace.
const mostLabels = 3

// noService is for a Service that does not exist.
func (e *explainer) noService(labels []string, namespace string) Cause {
	name := labels[len(labels)-2]
	c := Cause{Text: fmt.Sprintf("Namespace %s has no Service %s", namespace, name), weight: noService}
	if len(labels) > mostLabels && !strings.HasPrefix(labels[0], "_") {
		c.weight = noForm // a name from elsewhere, such as www.example.com, with a suffix
	}
	if e.foundElsewhere(&c, labels, "one") {
		return c
	}
	if p, ok := find(e.objects.pods, namespace, name); ok && len(labels) == 2 {
		c.Text += fmt.Sprintf("; Pod %s/%s has that name, and Pods have names only below a headless Service", namespace, name)
		c.Remedy, c.weight = fmt.Sprintf("write %s.SERVICE, with a headless Service and spec.subdomain", p.Name), elsewhere
	}
	return c
}

// causeBelow is for a Service and the labels before it.
func (e *explainer) causeBelow(s *corev1.Service, labels []string, replies []inprocess.Reply) Cause {
	switch {
	case answered(replies):
		return Cause{Text: "answered", weight: certain}
	case s.Spec.Type == corev1.ServiceTypeExternalName:
		return e.externalName(s, replies)
	case !e.shown(s):
		return Cause{Text: fmt.Sprintf("the Corefile hides Service %s/%s (labels or ignore)", s.Namespace, s.Name), Remedy: "give the Service the labels of that line, or take the line away", weight: certain}
	case exists(replies):
		return Cause{Text: fmt.Sprintf("Service %s/%s has no address of that family, or no record of that type", s.Namespace, s.Name), weight: certain}
	case len(labels) == 2 && strings.HasPrefix(labels[0], "_"):
		return noPort(s, labels)
	case len(labels) == 1 && e.known:
		return noEndpointKnown(s, labels[0])
	case len(labels) == 1:
		return e.noEndpoint(s, labels[0])
	case len(labels) == 0 && s.Spec.ClusterIP == corev1.ClusterIPNone && e.known:
		return noneKnown(s)
	case len(labels) == 0 && s.Spec.ClusterIP == corev1.ClusterIPNone:
		return e.noneReady(s)
	case len(labels) == 0:
		return Cause{Text: fmt.Sprintf("Service %s/%s has no address of that family, or no record of that type", s.Namespace, s.Name), weight: certain}
	}
	return Cause{Text: "no name below a Service has this form", weight: noForm}
}

func answered(replies []inprocess.Reply) bool {
	return slices.ContainsFunc(replies, func(r inprocess.Reply) bool { return r.Answers() })
}

// exists reports whether the name exists by all replies.
func exists(replies []inprocess.Reply) bool {
	return len(replies) > 0 && !slices.ContainsFunc(replies, func(r inprocess.Reply) bool { return r.Rcode != "NOERROR" })
}

func describeService(s *corev1.Service) string {
	kind := "ClusterIP " + s.Spec.ClusterIP
	switch {
	case s.Spec.Type == corev1.ServiceTypeExternalName:
		kind = "ExternalName " + s.Spec.ExternalName
	case s.Spec.ClusterIP == corev1.ClusterIPNone:
		kind = "headless"
	}
	return fmt.Sprintf("Service %s/%s  %s", s.Namespace, s.Name, kind)
}

func (e *explainer) externalName(s *corev1.Service, replies []inprocess.Reply) Cause {
	return Cause{
		Text:   fmt.Sprintf("Service %s/%s is an alias of %s, which is answered with %s", s.Namespace, s.Name, s.Spec.ExternalName, replies[0].Rcode),
		Remedy: "write a name into spec.externalName that exists",
		weight: certain,
	}
}

// noPort is for a port that a Service does not have.
func noPort(s *corev1.Service, labels []string) Cause {
	var have []string
	unnamed := 0
	for _, p := range s.Spec.Ports {
		if p.Name == "" {
			unnamed++
			continue
		}
		have = append(have, "_"+p.Name+"._"+strings.ToLower(string(p.Protocol)))
	}
	c := Cause{weight: certain, Text: fmt.Sprintf("Service %s/%s has no port %s; it has %s", s.Namespace, s.Name, strings.Join(labels, "."), strings.Join(have, ", ")), Remedy: "write the name of a port that it has"}
	if len(have) == 0 && unnamed > 0 {
		c.Text = fmt.Sprintf("the ports of Service %s/%s have no name, and only named ports have SRV records of their own", s.Namespace, s.Name)
		c.Remedy = "give the port a name in spec.ports"
	}
	return c
}

// noneReady is for a headless Service without ready endpoints.
func (e *explainer) noneReady(s *corev1.Service) Cause {
	c := Cause{weight: certain, Text: fmt.Sprintf("Service %s/%s is headless and has no ready endpoint, so its name does not exist", s.Namespace, s.Name)}
	pods := e.objects.selected(s)
	switch {
	case len(s.Spec.Selector) == 0 && len(e.objects.slicesOf(s)) == 0:
		c.Text, c.Remedy = fmt.Sprintf("Service %s/%s is headless, without a selector and without EndpointSlices", s.Namespace, s.Name), "give it a selector, or make EndpointSlices with the label kubernetes.io/service-name"
		return c
	case len(s.Spec.Selector) > 0 && len(pods) == 0:
		c.Text = fmt.Sprintf("the selector of the headless Service %s/%s matches no Pod of its Namespace", s.Namespace, s.Name)
		c.Remedy = "compare spec.selector with the labels of the Pods"
		return c
	}
	c.Remedy = "mend the readiness probe, or set publishNotReadyAddresses: true"
	for _, p := range pods {
		if !p.ready() {
			c.Facts = append(c.Facts, fmt.Sprintf("Pod %s/%s  not ready: %s", p.Namespace, p.Name, e.objects.whyNotReady(p)))
		}
	}
	return c
}

// noEndpoint is for the name of a Pod below a Service.
func (e *explainer) noEndpoint(s *corev1.Service, label string) Cause {
	i := slices.IndexFunc(e.objects.pods, func(p *pod) bool {
		return p.Namespace == s.Namespace && (p.Name == label || p.Spec.Hostname == label)
	})
	if i < 0 {
		return Cause{weight: certain, Text: fmt.Sprintf("Service %s/%s has no endpoint %s, and there is no such Pod", s.Namespace, s.Name, label), Remedy: "write the hostname of a Pod that the Service selects"}
	}
	p := e.objects.pods[i]
	c := Cause{weight: certain}
	switch where := fmt.Sprintf("Pod %s/%s", p.Namespace, p.Name); {
	case p.Spec.Subdomain != s.Name:
		c.Text = fmt.Sprintf("%s has the subdomain %q, and has a name below Service %s only if both are the same", where, p.Spec.Subdomain, s.Name)
		c.Remedy = fmt.Sprintf("set spec.subdomain: %s in the Pod (serviceName in a StatefulSet)", s.Name)
		if _, ok := find(e.objects.services, p.Namespace, p.Spec.Subdomain); ok && !slices.Contains(e.objects.selected(s), p) {
			c.Remedy = fmt.Sprintf("write %s.%s", label, p.Spec.Subdomain)
		}
	case p.Spec.Hostname == "":
		c.Text, c.Remedy = where+" has no spec.hostname, so its endpoint is named by its address", "set spec.hostname: "+label
	case !slices.Contains(e.objects.selected(s), p):
		c.Text, c.Remedy = fmt.Sprintf("the selector of Service %s/%s does not match %s", s.Namespace, s.Name, where), "give the Pod the labels of spec.selector"
	case !p.ready():
		c.Text = where + " is not ready, so its name does not exist"
		c.Remedy = "mend the readiness probe, or set publishNotReadyAddresses: true in the Service"
		c.Facts = []string{fmt.Sprintf("%s  not ready: %s", where, e.objects.whyNotReady(p))}
	default:
		c.Text, c.Remedy = fmt.Sprintf("no EndpointSlice of Service %s/%s has %s as ready yet", s.Namespace, s.Name, where), "look whether the EndpointSlice controller runs"
	}
	return c
}

// causeOfPodName is for names such as 10-1-2-3.shop.pod.
func (e *explainer) causeOfPodName(address, namespace string) Cause {
	switch {
	case !e.objects.namespaces[namespace]:
		return Cause{Text: fmt.Sprintf("Namespace %s does not exist", namespace), weight: noNamespace}
	case e.podsOff():
		return Cause{Text: "the Corefile answers no names of Pods by address", Remedy: "pods verified", weight: certain}
	}
	return Cause{Text: fmt.Sprintf("no Pod of Namespace %s has the address %s", namespace, address), weight: certain}
}
