package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/check"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

// elsewhere are the rules whose findings depend on the machine on which the Corefile is read.
var elsewhere = []string{"variable", "not-checked"}

// loops is the rule whose findings the line loop has.
const loops = "forward-back"

// each judges each Corefile.
func each(p *patient.Patient, judge func(*patient.Corefile) Result) Result {
	all, err := p.Corefiles()
	if err != nil {
		return unseen("the Corefile", err)
	}
	var found []Result
	for _, c := range all {
		r := judge(c)
		if len(all) > 1 {
			r.What = c.Path + ": " + r.What
		}
		found = append(found, r)
	}
	return worst(found...)
}

// corefileCheck says what check finds.
func corefileCheck(_ context.Context, p *patient.Patient) Result { return each(p, corefileOf) }

func corefileOf(c *patient.Corefile) Result {
	var warnings []string
	for _, f := range c.Found {
		switch {
		case f.Severity == check.Error && !c.At && ofMachine(f.What):
			return unknown("kubectl exec into the Pod: coredns check", "line %d cannot be judged from here: %s", f.Line, f.What)
		case f.Severity == check.Error:
			return red(f.Instead, "line %d: %s", f.Line, f.What)
		case f.Severity == check.Warning && f.Rule != loops && (c.At || !slices.Contains(elsewhere, f.Rule)):
			warnings = append(warnings, fmt.Sprintf("line %d: %s (%s)", f.Line, f.What, f.Rule))
		}
	}
	if len(warnings) > 0 {
		return yellow("coredns check says what to write instead", "%s", strings.Join(warnings, "; "))
	}
	return green("%s has nothing that check warns of", c.Path)
}

// ofMachine reports whether an error may be due to a file or an interface that only the Pod has.
func ofMachine(what string) bool {
	return slices.ContainsFunc([]string{"no such file", "expected a file", "interface name"}, func(w string) bool { return strings.Contains(what, w) })
}

// loop checks that no question comes back to the servers.
func loop(_ context.Context, p *patient.Patient) Result {
	return each(p, func(c *patient.Corefile) Result { return loopOf(p, c) })
}

func loopOf(p *patient.Patient, c *patient.Corefile) Result {
	for _, f := range c.Found {
		if f.Rule == loops && (c.At || f.Severity == check.Warning) {
			return red(f.Instead, "line %d: %s", f.Line, f.What)
		}
	}
	replicas, err := p.Replicas()
	if err != nil {
		return unseen("the upstreams", err)
	}
	targets := upstreams(c.Outline)
	for _, to := range targets {
		if r := named(replicas, to); r != nil {
			return red("the address of a resolver outside the cluster", "forward sends questions to %s, which is Pod %s of this server", to, r.Name)
		}
	}
	if i := slices.IndexFunc(targets, isFile); i >= 0 {
		return loopByFile(p, replicas, targets[i])
	}
	return green("no upstream is the server itself: %s", strings.Join(targets, " "))
}

// upstreams returns what forward and grpc send questions to.
func upstreams(o *check.Outline) (all []string) {
	for _, args := range slices.Concat(o.Lines("forward", ""), o.Lines("grpc", "")) {
		all = append(all, args[min(1, len(args)):]...)
	}
	return all
}

func isFile(to string) bool { return strings.HasPrefix(to, "/") }

// named returns the replica that an upstream is, or nil.
func named(all []*patient.Replica, to string) *patient.Replica {
	for _, r := range all {
		if a, err := netip.ParseAddr(to); err == nil && a == r.Addr {
			return r
		}
		if ap, err := netip.ParseAddrPort(to); err == nil && ap.Addr() == r.Addr {
			return r
		}
	}
	return nil
}

// loopByFile looks at what kubelet writes into the file for the server's Pods.
func loopByFile(p *patient.Patient, replicas []*patient.Replica, file string) Result {
	s, err := p.Service()
	if err != nil {
		return unseen("the Service of DNS", err)
	}
	for _, r := range replicas {
		policy := r.Spec.DNSPolicy
		first := policy == corev1.DNSClusterFirst && !r.Spec.HostNetwork || policy == corev1.DNSClusterFirstWithHostNet
		if first && file == "/etc/resolv.conf" {
			return red("dnsPolicy: Default in the Pods of the server", "Pod %s has dnsPolicy: %s, so its %s leads to the Service %s itself", r.Name, policy, file, s.Spec.ClusterIP)
		}
		if r.Spec.DNSConfig != nil && slices.ContainsFunc(r.Spec.DNSConfig.Nameservers, func(n string) bool { return slices.Contains(s.Spec.ClusterIPs, n) }) {
			return red("the address of a resolver outside the cluster", "the dnsConfig of Pod %s names the Service %s itself", r.Name, s.Spec.ClusterIP)
		}
	}
	own := p.Itself()
	if own == nil {
		return green("the Pods forward to %s of their nodes, which dnsPolicy: Default keeps free of the Service", file)
	}
	conf, err := dns.ClientConfigFromFile(file)
	if err != nil {
		return unseen(file, err)
	}
	return green("%s of Pod %s names %s", file, own.Name, strings.Join(conf.Servers, ", "))
}
