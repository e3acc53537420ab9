package check

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/miekg/dns"
)

// rules look at one server block each.
var rules = []func(*judge, *block) []Finding{
	(*judge).templates,
	(*judge).hosts,
	(*judge).forwards,
	(*judge).rewrites,
	(*judge).places,
	(*judge).behind,
	(*judge).taken,
	(*judge).port,
	(*judge).fallthroughs,
	(*judge).order,
	(*judge).kept,
	(*judge).pods,
	(*judge).reverse,
	(*judge).missing,
	(*judge).debug,
	(*judge).autopath,
	(*judge).repeated,
}

// finding returns a finding about a line.
func (l *line) finding(severity Severity, rule, what, instead string) Finding {
	return Finding{File: l.file, Line: l.no, Severity: severity, Rule: rule, What: what, Instead: instead}
}

// finding returns a finding about a block.
func (b *block) finding(severity Severity, rule, what, instead string) Finding {
	return Finding{File: b.of.path, Line: b.line, Severity: severity, Rule: rule, What: what, Instead: instead}
}

// templates: a denial of AAAA denies the whole name, and a template that nothing falls through takes
// questions away.
func (c *judge) templates(b *block) (found []Finding) {
	for _, d := range b.directives["template"] {
		if len(d.args) < 2 {
			continue
		}
		zones := b.zonesOf(d.args[2:])
		qtype, match, through := strings.ToUpper(d.args[1]), d.property("match"), d.through()
		rcode := d.property("rcode")
		denies := rcode != nil && len(rcode.words) > 1 && strings.EqualFold(rcode.words[1], "NXDOMAIN")
		if qtype == "AAAA" && denies {
			found = append(found, rcode.finding(Warning, "template-nxdomain",
				"NXDOMAIN says that the name does not exist at all, so clients and caches take its A records for missing too.",
				"rcode NOERROR, or the property no_aaaa of kubernetes in place of the template."))
		}
		hidden := meetsAll(zones, b.forwardOrigins())
		switch {
		case match != nil && len(through) == 0:
			found = append(found, d.finding(Warning, "template-servfail",
				fmt.Sprintf("Questions for %s in %s that no expression matches get SERVFAIL, and no further plugin is asked.", qtype, texts(zones)),
				"fallthrough in this template."))
		case match == nil && hidden && (qtype == "ANY" || qtype == "A"):
			found = append(found, d.finding(Warning, "template-hides",
				"The template answers for all names of the cluster: "+b.cluster().words[0]+" is never asked, whatever the order of the lines.",
				"A zone behind the type, or match with fallthrough, so that only the names that you mean are answered."))
		}
	}
	return found
}

// meetsAll reports whether zones enclose each of some origins, of which there is at least one.
func meetsAll(zones, origins []string) bool {
	return len(origins) > 0 && !slices.ContainsFunc(origins, func(o string) bool { return !encloses(zones, o) })
}

// hosts: what is not in the file goes no further without fallthrough.
func (c *judge) hosts(b *block) (found []Finding) {
	for _, d := range b.directives["hosts"] {
		zones := b.zonesOf(d.args[min(1, len(d.args)):])
		for _, zone := range append(b.forwardOrigins(), zonesIf(b.first("forward") != nil, ".")...) {
			if encloses(zones, zone) && !encloses(d.through(), zone) {
				found = append(found, d.finding(Warning, "hosts-servfail",
					fmt.Sprintf("Names of %s that the file does not have get SERVFAIL, and no further plugin is asked.", zone),
					"fallthrough in this directive."))
				break
			}
		}
	}
	return found
}

func zonesIf(condition bool, zones ...string) []string {
	if condition {
		return zones
	}
	return nil
}

// places: zones of a plugin that the server block does not get questions for.
func (c *judge) places(b *block) (found []Finding) {
	zonesOf := map[string]func(*directive) []string{
		"kubernetes":   func(d *directive) []string { return d.args },
		"clusterdns":   func(d *directive) []string { return d.args },
		"k8s_external": func(d *directive) []string { return d.args },
		"k8s_gateway":  func(d *directive) []string { return d.args },
		"forward":      func(d *directive) []string { return d.args[:min(1, len(d.args))] },
		"template":     func(d *directive) []string { return d.args[min(2, len(d.args)):] },
		"file":         func(d *directive) []string { return d.args[min(1, len(d.args)):] },
	}
	for name, arguments := range zonesOf {
		for _, d := range b.directives[name] {
			args := arguments(d)
			if len(args) == 0 {
				continue
			}
			for _, zone := range b.zonesOf(args) {
				if !meet(b.zones, zone) {
					found = append(found, d.finding(Warning, "zone-elsewhere",
						fmt.Sprintf("No question for %s comes to this server block, which is for %s.", zone, texts(b.zones)),
						"This directive in a server block that "+zone+" is in."))
				}
			}
		}
	}
	return found
}

// taken: names of the cluster that come to a server block without it.
func (c *judge) taken(b *block) (found []Finding) {
	if b.cluster() != nil || b.first("bind", "view") != nil {
		return nil
	}
	for _, other := range c.text.blocks {
		for _, zone := range b.zones {
			if samePort(b, other) && other.first("bind") == nil && ofServices(other.forwardOrigins(), zone) {
				found = append(found, b.finding(severityOf(other.forwardOrigins(), zone), "cluster-taken",
					fmt.Sprintf("Questions for %s come to this server block, which does not have the cluster: it answers in the place of %s.", zone, other.cluster().words[0]),
					other.cluster().words[0]+" in this server block too, or no server block for a zone of the cluster."))
			}
		}
	}
	return found
}

// severityOf returns a note for the zone of a Namespace, which somebody may well mean to answer for.
func severityOf(origins []string, zone string) Severity {
	if slices.ContainsFunc(origins, func(o string) bool { return dns.IsSubDomain(o, zone) && dns.CountLabel(zone) <= dns.CountLabel(o)+1 }) {
		return Warning
	}
	return Note
}

// port: a server block at a port that the cluster's clients do not ask.
func (c *judge) port(b *block) []Finding {
	if b.cluster() != nil || b.first("bind") != nil || !strings.HasPrefix(b.keys[0], "dns://") && strings.Contains(b.keys[0], "://") {
		return nil
	}
	var asked *block
	for _, other := range c.text.blocks {
		switch {
		case other.cluster() == nil:
		case samePort(b, other):
			return nil
		case asked == nil:
			asked = other
		}
	}
	if asked == nil || c.forwardsTo(b.port) {
		return nil
	}
	return []Finding{b.finding(Note, "other-port",
		fmt.Sprintf("This server block is at port %s and the cluster's at %s, where clients ask: no question for %s comes here.", cmp.Or(b.port, "53"), cmp.Or(asked.port, "53"), texts(b.zones)),
		fmt.Sprintf("Port %s for both. The port of an upstream stands behind its address in forward.", cmp.Or(asked.port, "53")))}
}

// forwardsTo reports whether a server block asks a port of this machine.
func (c *judge) forwardsTo(port string) bool {
	return slices.ContainsFunc(c.text.all(), func(d *directive) bool {
		return slices.ContainsFunc(d.args, func(to string) bool {
			at, err := netip.ParseAddrPort(to)
			return err == nil && at.Addr().IsLoopback() && strconv.Itoa(int(at.Port())) == port
		})
	})
}

func samePort(a, b *block) bool { return cmp.Or(a.port, "53") == cmp.Or(b.port, "53") }

// ofServices reports whether the names of Services or Pods in one of the origins are in a zone. Others, such as
// consul.cluster.local, are nobody's.
func ofServices(origins []string, zone string) bool {
	return slices.ContainsFunc(origins, func(o string) bool {
		return zone == o || dns.IsSubDomain("svc."+o, zone) || dns.IsSubDomain("pod."+o, zone)
	})
}

// answering are the plugins that answer, in the order in which they are asked.
var answering = []string{"template", "hosts", "route53", "azure", "clouddns", "k8s_external", "k8s_gateway", "kubernetes", "clusterdns", "file", "auto", "secondary", "etcd", "forward", "grpc", "erratic", "whoami", "nomad"}

// behind: zones of the cluster for which a later plugin is never asked, because nothing falls through.
func (c *judge) behind(b *block) (found []Finding) {
	us := b.cluster()
	if us == nil {
		return nil
	}
	through := us.through()
	later := map[string]int{"file": 1, "auto": 0, "secondary": 0, "etcd": 0, "forward": 0, "grpc": 0} // where the zones begin
	for name, at := range later {
		for _, d := range b.directives[name] {
			args := d.args[min(at, len(d.args)):]
			if name == "forward" || name == "grpc" {
				args = args[:min(1, len(args))]
			}
			for _, zone := range b.zonesOf(args) {
				if len(args) > 0 && encloses(b.origins(), zone) && !meet(through, zone) {
					found = append(found, d.finding(Warning, "never-asked",
						fmt.Sprintf("%s answers for %s first, whatever the order of the lines, and lets nothing fall through: %s is never asked.", us.words[0], zone, name),
						fmt.Sprintf("fallthrough %s in %s, or a server block of its own for it.", strings.TrimSuffix(zone, "."), us.words[0])))
				}
			}
		}
	}
	return found
}

// fallthroughs: names that do not exist in the cluster go to the upstream.
func (c *judge) fallthroughs(b *block) (found []Finding) {
	us := b.cluster()
	if us == nil {
		return nil
	}
	leaks := slices.ContainsFunc(b.forwardOrigins(), func(o string) bool { return encloses(us.through(), o) })
	if !leaks || b.first("forward", "grpc") == nil {
		return nil
	}
	severity, reason := Warning, "where a name of the same form may exist"
	if b.first("file", "auto", "secondary", "etcd", "nomad") != nil {
		severity, reason = Note, "unless a plugin between has them"
	}
	return append(found, us.property("fallthrough").finding(severity, "fallthrough-leaks",
		"Names that do not exist in the cluster, and all that a search path makes of them, are asked upstream, "+reason+".",
		"fallthrough in-addr.arpa ip6.arpa"))
}

// order: plugins are asked in an order of their own.
func (c *judge) order(b *block) (found []Finding) {
	var written []*directive
	for _, name := range answering {
		if d := b.first(name); d != nil && d.file == c.path {
			written = append(written, d)
		}
	}
	for i, d := range written {
		for _, early := range written[i+1:] {
			if early.no < d.no && shareNames(b, early, d) {
				found = append(found, d.finding(Note, "order",
					fmt.Sprintf("%s is asked before %s, although it is written behind it: the order of the lines has no effect.", d.words[0], early.words[0]),
					fmt.Sprintf("%s above %s, as a reader expects it.", d.words[0], early.words[0])))
				break
			}
		}
	}
	return found
}

// shareNames reports whether both directives may answer for one name.
func shareNames(b *block, one, other *directive) bool {
	return slices.ContainsFunc(b.answersFor(one), func(zone string) bool { return meet(b.answersFor(other), zone) })
}

// answersFor returns the zones that a directive may answer for.
func (b *block) answersFor(d *directive) []string {
	begins := map[string]int{"template": 2, "hosts": 1, "file": 1}
	args := d.args[min(begins[d.words[0]], len(d.args)):]
	switch d.words[0] {
	case "forward", "grpc":
		args = args[:min(1, len(args))]
	case "route53", "azure", "clouddns":
		for i := range args {
			args[i], _, _ = strings.Cut(args[i], ":")
		}
	case "whoami", "erratic":
		args = nil
	}
	return b.zonesOf(args)
}

// pods: answers that nobody verifies.
func (c *judge) pods(b *block) []Finding {
	us := b.cluster()
	if us == nil {
		return nil
	}
	l := us.property("pods")
	if l == nil || len(l.words) < 2 || l.words[1] != "insecure" {
		return nil
	}
	return []Finding{l.finding(Note, "pods-insecure",
		"Each name such as 10-1-2-3.NAMESPACE.pod is answered with the address in it, whether such a Pod exists or not.",
		"pods verified, which takes memory for each Pod, or nothing if nobody uses these names.")}
}

// reverse: addresses of the cluster that are asked upstream.
func (c *judge) reverse(b *block) []Finding {
	us := b.cluster()
	if us == nil || slices.ContainsFunc(b.origins(), isReverse) || !encloses(b.zones, "in-addr.arpa.") || b.first("forward", "grpc") == nil {
		return nil
	}
	return []Finding{us.finding(Note, "no-reverse",
		"The names of the cluster's addresses (PTR) are asked upstream, which does not know them.",
		"in-addr.arpa ip6.arpa behind the zone, and fallthrough for both.")}
}

// outside: names that are not the cluster's, for which nobody is asked.
func (b *block) outside() []Finding {
	us := b.cluster()
	others := slices.DeleteFunc(slices.Clone(answering), func(name string) bool {
		return slices.Contains([]string{"kubernetes", "clusterdns", "k8s_external", "k8s_gateway", "hosts"}, name)
	})
	if us == nil || !slices.Contains(b.zones, ".") || encloses(b.origins(), ".") || b.first(others...) != nil {
		return nil
	}
	return []Finding{us.finding(Note, "no-upstream",
		"Names outside the cluster get SERVFAIL, since no plugin of this server block has them or asks others for them. The search path of a Pod may end there.",
		"forward . /etc/resolv.conf, or nothing if no Pod needs a name outside.")}
}

// missing: plugins that a block or a Corefile should have.
func (c *judge) missing(b *block) (found []Finding) {
	if b.first("errors") == nil && (b.cluster() != nil || b.first("forward") != nil) {
		found = append(found, b.finding(Note, "no-errors", "No log line says what fails in this server block.", "errors"))
	}
	found = append(found, b.outside()...)
	if d := b.first("forward"); d != nil && b.first("loop") == nil && len(d.args) > 1 && d.args[0] == "." {
		found = append(found, d.finding(Note, "no-loop",
			"If an upstream leads back to this server, each question goes round until the memory is used up.",
			"loop, which looks for such a way at the start and stops the server then."))
	}
	return found
}

// probes: what a Deployment such as kubeadm's asks.
func (c *judge) probes() (found []Finding) {
	serves := slices.ContainsFunc(c.text.blocks, func(b *block) bool { return b.cluster() != nil })
	if !serves {
		return nil
	}
	has := func(name string) bool {
		return slices.ContainsFunc(c.text.blocks, func(b *block) bool { return b.first(name) != nil })
	}
	first := c.text.blocks[0]
	if !has("ready") {
		found = append(found, first.finding(Note, "no-ready", "A readiness probe at port 8181, as kubeadm's Deployment has it, fails.", "ready"))
	}
	if !has("health") {
		found = append(found, first.finding(Note, "no-health", "A liveness probe at port 8080, as kubeadm's Deployment has it, fails, and kubelet restarts the server again and again.", "health"))
	}
	if !has("reload") {
		found = append(found, first.finding(Note, "no-reload", "A change of the Corefile has no effect until the server starts anew.", "reload"))
	}
	return found
}

// debug: a plugin whose name promises more.
func (c *judge) debug(b *block) (found []Finding) {
	for _, d := range b.directives["debug"] {
		found = append(found, d.finding(Warning, "debug",
			"A panic in any plugin ends the process, and questions are not logged.",
			"log, to log questions; nothing, to keep the server alive."))
	}
	return found
}

// autopath: a plugin by whose name nothing is found, and names that other server blocks have.
func (c *judge) autopath(b *block) (found []Finding) {
	for _, d := range b.directives["autopath"] {
		for _, other := range c.text.blocks {
			if other != b && samePort(b, other) && other.first("bind", "view") == nil && b.first("forward") != nil && !slices.ContainsFunc(other.zones, isReverse) {
				found = append(found, d.finding(Warning, "autopath-elsewhere",
					fmt.Sprintf("autopath completes a search path with the plugins of this server block: a name in %s is asked at its forward, and not in the server block for it.", texts(other.zones)),
					"search names in kubernetes in the place of autopath, which asks the right server block."))
			}
		}
		if len(d.args) == 0 {
			continue
		}
		name, ok := strings.CutPrefix(d.args[len(d.args)-1], "@")
		if ok && slices.Contains(dnsserver.Directives, name) && b.first(name) == nil {
			found = append(found, d.finding(Error, "start", "CoreDNS does not start: autopath asks "+name+", which this server block does not have.", name+" in this server block."))
		}
	}
	return found
}

// isName reports whether a text is a domain name.
func isName(text string) bool {
	_, ok := dns.IsDomainName(text)
	return ok
}
