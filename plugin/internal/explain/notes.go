package explain

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/check"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/inprocess"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/objects"
	"github.com/clusterdns/clusterdns/plugin/internal/explain/stub"
)

func (e *explainer) add(format string, args ...any) {
	e.result.Notes = append(e.result.Notes, fmt.Sprintf(format, args...))
}

// note adds what else is worth to be known.
func (e *explainer) note(v stub.Outcome) {
	if e.Namespace != metav1.NamespaceDefault && !e.hasNamespace() {
		e.add("Namespace %s does not exist, so no Pod asks from there: write another one behind -from", e.Namespace)
	}
	e.noteSearch(v)
	e.noteReplies(v)
	if e.known {
		e.noteKnown()
		return
	}
	if e.fetched != nil {
		e.noteFetched()
	}
	e.noteOthers()
	e.notePolicies()
}

// judge adds what of the Corefile does something else than is written.
func (r *Result) judge(path string, body []byte) {
	for _, f := range check.Corefile(path, body, check.Options{}) {
		if f.Severity != check.Warning {
			continue
		}
		where := fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.What)
		r.Notes = append(r.Notes, where)
		if (r.Exit == exitMissing || r.failed()) && concerns(f, dns.CanonicalName(r.Name)) {
			r.Cause, r.Remedy = where, f.Instead
		}
	}
}

// failed reports whether the cause is that the question that decides has no answer.
func (r *Result) failed() bool {
	return slices.ContainsFunc(r.Questions, func(q Question) bool { return q.Decides && q.Cause.Text == r.Cause && unanswered(q.Replies) })
}

// concerns reports whether a finding is about a name.
func concerns(f check.Finding, name string) bool {
	below := strings.HasPrefix(f.Renamed, ".") && strings.HasSuffix(name, f.Renamed)
	return below || f.Renamed == name || strings.Contains(f.What, " "+name)
}

// hasNamespace reports whether the Namespace that asks exists, as far as that is known.
func (e *explainer) hasNamespace() bool {
	if e.known {
		return !e.snapshot().Synced() || e.snapshot().HasNamespace(e.Namespace)
	}
	return e.objects.Namespaces[e.Namespace]
}

// noteKnown is about what a running server does not know.
func (e *explainer) noteKnown() {
	switch {
	case e.Pod == "" || e.Asker != nil:
	case e.pod == nil:
		e.add("the server does not know dnsPolicy and dnsConfig of Pods: resolv.conf is that of a Pod without either")
		e.add("the server does not know the address of Pod %s/%s: it was asked from %s", e.Namespace, e.Pod, e.asker.Client)
	default:
		e.add("the server does not know nameservers and options other than ndots in the dnsConfig of Pods")
	}
}

// noteOthers is about objects that concern the server itself.
func (e *explainer) noteOthers() {
	for _, r := range e.objects.Roles {
		if strings.Contains(r.Name, "coredns") && !r.Allows("discovery.k8s.io", "endpointslices") {
			e.add("ClusterRole %s does not let the server list and watch endpointslices: until it may, it answers SERVFAIL", r.Name)
		}
	}
	for _, c := range e.objects.ConfigMaps {
		if c.Labels["addonmanager.kubernetes.io/mode"] == "Reconcile" && strings.Contains(c.Name, "dns") {
			e.add("ConfigMap %s/%s is kept by the add-on manager (mode Reconcile): what you edit in it is reverted", c.Namespace, c.Name)
		}
	}
}

// noteSearch is about the search path.
func (e *explainer) noteSearch(v stub.Outcome) {
	r := e.result
	if n := len(r.Questions) * len(e.Types); n > 2 && v == stub.Found {
		e.add("one name, %d questions: write %s with the dot at the end, or search names into the Corefile", n, r.Questions[len(r.Questions)-1].Name)
	}
	if len(r.Questions) > 1 || r.Questions[0].Name != dns.CanonicalName(e.Name) {
		e.add("dig and the nslookup of busybox ask for %s alone, whatever resolv.conf says (dig +search does not)", dns.CanonicalName(e.Name))
	}
	other := Musl
	if e.Libc == Musl {
		other = Glibc
	}
	if ov, at := e.walkAs(other); (ov == stub.Found) != (v == stub.Found) || at != r.Questions[len(r.Questions)-1].Name && v == stub.Found {
		e.add("%s differs: %s after %s", other, map[stub.Outcome]string{stub.Next: "it finds nothing", stub.Found: "it is answered", stub.Failed: "it gives up"}[ov], at)
	}
	e.noteHost()
	q := &r.Questions[len(r.Questions)-1]
	for _, suffix := range e.NodeSearch {
		if v == stub.Found && strings.HasSuffix(q.Name, "."+dns.CanonicalName(suffix)) && !dns.IsSubDomain(dns.CanonicalName(suffix), dns.CanonicalName(e.Name)) {
			e.add("%s is in the node's suffix %s: a wildcard there answers for every name", q.Name, suffix)
		}
	}
}

// noteHost is about Pods that ask otherwise than the C libraries here, and about servers that may be others.
func (e *explainer) noteHost() {
	if e.pod == nil {
		return
	}
	if e.pod.Windows() {
		e.add("Pod %s/%s runs on Windows, which asks for a name with a dot as it is, and completes others with the first suffix alone", e.pod.Namespace, e.pod.Name)
	}
	if c := &e.result.ResolvConf; c.Policy == string(corev1.DNSNone) && len(c.Nameservers) > 0 && len(e.Nameservers) == 0 && c.Elsewhere == "" {
		e.add("whether the nameserver %s is this server cannot be told: -cluster-dns says which address it has", strings.Join(c.Nameservers, " "))
	}
}

// walkAs returns what another resolver finds, and the last name that it asks for.
func (e *explainer) walkAs(libc Libc) (o stub.Outcome, at string) {
	o = stub.Walk(&e.result.ResolvConf, e.Name, libc, func(name string) []inprocess.Reply {
		at = name
		return e.replies(name)
	})
	return o, at
}

// noteReplies is about what is in the replies.
func (e *explainer) noteReplies(v stub.Outcome) {
	ipv6 := e.snapshot().ClusterIPs().HasIPv6() || e.snapshot().EndpointAddrs().HasIPv6()
	if last := e.result.Questions[len(e.result.Questions)-1]; !last.Decides && unanswered(last.Replies) {
		e.add("%s has no answer either: %s", last.Name, last.Cause.Text)
	}
	for _, q := range e.result.Questions {
		_, ours := e.zoneOf(q.Name)
		if t, ok := e.touches(q.Name); ok && q.Decides && v == stub.Found {
			if s, ok := objects.Find(e.objects.Services, t.Namespace, t.Name); ok && e.objects.Unready(s) {
				e.add("Service %s/%s has no ready endpoint: its name is answered, and connections to it fail", s.Namespace, s.Name)
			}
		}
		for _, r := range q.Replies {
			if r.Type == "AAAA" && len(r.Records) > 0 && !ours && !ipv6 {
				e.add("%s has AAAA, and no Service or endpoint of this cluster has an IPv6 address: no_aaaa auto answers without", q.Name)
			}
			if r.Took >= 2*time.Second {
				e.add("%s %s took %.0f s: resolvers ask again after 5 s", q.Name, r.Type, r.Took.Seconds())
			}
			if q.Decides && v != stub.Found && r.Rcode == "NXDOMAIN" && r.Keep > 0 && ours {
				e.add("caches of nodes and clients may keep the denial for %d s after it has ceased to be true", r.Keep)
				return
			}
		}
	}
}

// notePolicies is about NetworkPolicies that leave the Pod no way to port 53.
func (e *explainer) notePolicies() {
	if e.pod == nil {
		return
	}
	closing, toPods := e.objects.Closing53(e.pod)
	switch {
	case len(toPods) > 0:
		e.noteNode(toPods)
	case len(closing) > 0:
		e.result.Cause = fmt.Sprintf("NetworkPolicy %s of Namespace %s lets Pod %s send nothing to port 53", strings.Join(closing, ", "), e.pod.Namespace, e.pod.Name)
		e.result.Remedy, e.result.Exit = "allow egress to port 53, UDP and TCP, of the DNS server, on the node too if a cache runs there", ExitUndecided
	}
}

// noteNode is about NetworkPolicies that open port 53 of Pods, where a cache on the node is asked.
func (e *explainer) noteNode(policies []string) {
	for _, n := range e.result.ResolvConf.Nameservers {
		if a, err := netip.ParseAddr(n); err == nil && a.IsLinkLocalUnicast() {
			e.add("NetworkPolicy %s of Namespace %s opens port 53 of Pods alone, and %s is the node: allow egress to ipBlock %s too",
				strings.Join(policies, ", "), e.pod.Namespace, n, netip.PrefixFrom(a, a.BitLen()))
			return
		}
	}
}
