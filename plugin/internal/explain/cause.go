package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/inprocess"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/objects"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/stub"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
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

// ahead returns the plugin that gave all replies in place of the cluster, or "".
func (e *explainer) ahead(replies []inprocess.Reply) (plugin string) {
	for _, r := range replies {
		if r.Plugin == "" || r.Plugin == e.served.Directive || slices.Contains(passing, r.Plugin) || slices.Contains(e.behind(), r.Plugin) {
			return ""
		}
		plugin = r.Plugin
	}
	return plugin
}

// passing are the plugins that pass on what others have said.
var passing = []string{"cache", "autopath"}

// behind returns the plugins that are asked after the cluster.
func (e *explainer) behind() []string {
	i := slices.Index(dnsserver.Directives, e.served.Directive)
	return dnsserver.Directives[i+1:]
}

// cause says why a name of the cluster has the replies that it has. zone is the cluster's zone that the name
// is in.
func (e *explainer) cause(name, zone string, replies []inprocess.Reply) Cause {
	switch plugin := e.ahead(replies); {
	case !e.snapshot().Synced():
		return Cause{
			Text:   "the server has no data of the cluster yet, and answers SERVFAIL until the API server has sent all of it",
			Remedy: "look into the server's log: can it reach the API server, and may it list and watch each kind?", weight: certain,
		}
	case plugin == "acl" && !stub.Answered(replies):
		return Cause{
			Text:   fmt.Sprintf("acl, which is asked ahead of %s, does not let %s ask for this name", e.served.Directive, e.asker.Client),
			Remedy: "allow the address in acl, ahead of the rule that blocks or filters it", weight: certain,
		}
	case plugin != "" && !stub.Answered(replies):
		return Cause{
			Text:   fmt.Sprintf("%s, which is asked ahead of %s, answers for this name", plugin, e.served.Directive),
			Remedy: fmt.Sprintf("let names of %s fall through in %s", trim(zone), plugin), weight: certain,
		}
	}
	return e.causeIn(name, zone, replies)
}

// causeIn says why the cluster has no other records of a name.
func (e *explainer) causeIn(name, zone string, replies []inprocess.Reply) Cause {
	labels := dns.SplitDomainName(strings.TrimSuffix(strings.TrimSuffix(name, zone), "."))
	n := len(labels)
	switch {
	case n == 0:
		return Cause{Text: "the zone of the cluster itself has no such records"}
	case e.ofClusterSet(zone) && !exists(replies):
		return Cause{
			Text:   fmt.Sprintf("no ServiceImport of the cluster set has the name %s, or none with a ready endpoint", trim(name)),
			Remedy: "compare with kubectl get serviceimports -A, and write SERVICE.NAMESPACE.svc." + trim(zone), weight: noService,
		}
	case labels[n-1] == "svc" && n >= 2:
		return e.causeOfService(labels[:n-1], replies)
	case labels[n-1] == "pod" && n == 3:
		return e.causeOfPodName(labels[0], labels[1], replies)
	case exists(replies):
		return Cause{Text: "the name exists, and has no such records"}
	}
	c := Cause{Text: "no name of the cluster has this form: Services are NAME.NAMESPACE.svc." + trim(zone)}
	if n >= 2 {
		e.meant(&c, labels[n-2], labels[n-1])
	}
	return c
}

// meant adds what to write, if there is such a Service.
func (e *explainer) meant(c *Cause, service, namespace string) bool {
	_, ok := objects.Find(e.objects.Services, namespace, service)
	if ok {
		c.Text += fmt.Sprintf("; Namespace %s has a Service %s", namespace, service)
		c.Remedy, c.weight = "write "+e.spelled(service, namespace), elsewhere
	}
	return ok
}

// ofClusterSet reports whether a zone has the Services of several clusters.
func (e *explainer) ofClusterSet(zone string) bool {
	return slices.ContainsFunc(e.served.View.Origins, func(o resolve.Origin) bool { return o.ClusterSet && dns.Fqdn(o.String()) == zone })
}

// hidden is for a Namespace that the server block does not show.
func hidden(namespace string) Cause {
	return Cause{Text: fmt.Sprintf("Namespace %s exists, but the Corefile hides it (namespaces or namespace_labels)", namespace), Remedy: "add it to that line", weight: certain}
}

func trim(name string) string { return strings.TrimSuffix(name, ".") }

// causeOfService is for labels that end with a Namespace.
func (e *explainer) causeOfService(labels []string, replies []inprocess.Reply) Cause {
	namespace := labels[len(labels)-1]
	switch {
	case !e.objects.Namespaces[namespace]:
		return e.noNamespace(labels, namespace)
	case !e.exposes(namespace):
		return hidden(namespace)
	case len(labels) == 1:
		return Cause{Text: "the name of a Namespace has no records"}
	}
	s, ok := objects.Find(e.objects.Services, namespace, labels[len(labels)-2])
	if !ok {
		return e.noService(labels, namespace)
	}
	c := e.causeBelow(s, labels[:len(labels)-2], replies)
	c.Facts = slices.Concat([]string{objects.DescribeService(s)}, e.factsKnown(cluster.Key{Namespace: s.Namespace, Name: s.Name}), c.Facts)
	return c
}

// noNamespace is for a Namespace that does not exist.
func (e *explainer) noNamespace(labels []string, namespace string) Cause {
	c := Cause{Text: e.fetched.Absent(namespace), weight: noNamespace}
	if len(labels) > mostLabels && !strings.HasPrefix(labels[0], "_") {
		c.weight = noForm
	}
	switch last := len(labels) - 1; {
	case last == 0: // the Namespace may be missing
		e.foundElsewhere(&c, []string{namespace, namespace}, "a Service "+namespace)
	case last < mostLabels && !e.foundElsewhere(&c, labels, "a Service "+labels[last-1]):
		e.meant(&c, namespace, labels[last-1]) // or ahead of the Service
	}
	return c
}

// foundElsewhere says which other Namespaces have the Service, if there are any. what is the Service in words.
func (e *explainer) foundElsewhere(c *Cause, labels []string, what string) bool {
	last := len(labels) - 1
	others := e.objects.Elsewhere(labels[last-1], labels[last])
	if len(others) == 0 {
		return false
	}
	hides := func(namespace string) bool { return e.hides(namespace, labels[last-1]) }
	c.weight = elsewhere
	if shown := slices.DeleteFunc(slices.Clone(others), hides); len(shown) > 0 {
		c.Text += fmt.Sprintf("; Namespace %s has %s", strings.Join(shown, ", "), what)
		c.Remedy = "write " + e.spelled(strings.Join(labels[:last], "."), shown[0])
		return true
	}
	c.Text += fmt.Sprintf("; Namespace %s has %s, which the Corefile hides", strings.Join(others, ", "), what)
	c.Remedy = fmt.Sprintf("let the Corefile show it, and write %s", e.spelled(strings.Join(labels[:last], "."), others[0]))
	return true
}

// hides reports whether the Corefile hides a Service that is there. Of a cluster that is read, the labels of other Namespaces
// are not.
func (e *explainer) hides(namespace, service string) bool {
	if e.fetched != nil {
		_, listed := e.served.View.Namespaces[namespace]
		return e.served.View.Namespaces != nil && !listed
	}
	return !e.exposes(namespace) || e.snapshot().Service(cluster.Key{Namespace: namespace, Name: service}) == nil
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
	if len(labels) == mostLabels && e.meant(&c, name, labels[0]) || e.foundElsewhere(&c, labels, "one") {
		return c
	}
	if len(labels) == mostLabels && e.objects.Named(&corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: namespace}}, labels[0]) == nil {
		c.weight = noNamespace // it may as well be a name outside, such as example.com
	}
	if p, ok := objects.Find(e.objects.Pods, namespace, name); ok && len(labels) == 2 {
		c.Text += fmt.Sprintf("; Pod %s/%s has that name, and Pods have names only below a headless Service", namespace, name)
		c.Remedy, c.weight = fmt.Sprintf("write %s.SERVICE, with a headless Service and spec.subdomain", p.Name), elsewhere
		if _, ok := objects.Find(e.objects.Services, namespace, p.Spec.Subdomain); ok && p.Spec.Hostname != "" {
			c.Remedy = "write " + e.spelled(p.Spec.Hostname+"."+p.Spec.Subdomain, namespace)
		}
	} else if near := e.objects.Similar(namespace, name); len(labels) == 2 && len(near) > 0 {
		c.Text += "; it has " + strings.Join(near, ", ")
		c.Remedy, c.weight = "write "+e.spelled(near[0], namespace)+" if you mean that", elsewhere
	}
	return c
}

// causeBelow is for a Service and the labels before it.
func (e *explainer) causeBelow(s *corev1.Service, labels []string, replies []inprocess.Reply) Cause {
	where := fmt.Sprintf("Service %s/%s", s.Namespace, s.Name)
	below := len(labels) == 1 && !strings.HasPrefix(labels[0], "_")
	switch {
	case stub.Answered(replies):
		return Cause{Text: "answered", weight: certain}
	case !e.shown(s):
		return Cause{Text: fmt.Sprintf("the Corefile hides %s (labels or ignore)", where), Remedy: "give the Service the labels of that line, or take the line away", weight: certain}
	case s.Spec.Type == corev1.ServiceTypeExternalName && len(labels) > 0:
		return Cause{Text: where + " is an alias, and an alias has no names below it", Remedy: "write " + e.spelled(s.Name, s.Namespace), weight: certain}
	case s.Spec.Type == corev1.ServiceTypeExternalName:
		return e.alias(s, replies)
	case exists(replies):
		return Cause{Text: where + " has no address of that family, or no record of that type", weight: certain}
	case len(labels) == 2 && strings.HasPrefix(labels[0], "_"):
		return e.noPort(s, labels)
	case below && e.known:
		return noEndpointKnown(s, labels[0])
	case below:
		return e.noEndpoint(s, labels[0])
	case len(labels) == 0:
		return e.none(s)
	}
	return Cause{Text: "no name below a Service has this form: it is a Pod's hostname, or _PORT._PROTOCOL", weight: noService}
}

// exists reports whether the name exists by all replies.
func exists(replies []inprocess.Reply) bool {
	return len(replies) > 0 && !slices.ContainsFunc(replies, func(r inprocess.Reply) bool { return r.Rcode != "NOERROR" })
}
