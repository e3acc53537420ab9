//go:build e2e

package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/test/lab"
)

// TestNames looks up the names of a Service as people write them, with every kind of
// resolver, from a Pod in its namespace and from one in another.
func TestNames(t *testing.T) {
	here, there := newNamespace(t, "names"), newNamespace(t, "names-other")
	want := map[string]string{}
	for _, namespace := range []string{here, there} {
		want[namespace] = newService(t, namespace, "web")
	}
	want["outside"] = "192.0.2.80"
	names := []struct {
		name, of string
		partial  bool
	}{
		{name: "web", of: here},
		{name: "web." + here, of: here, partial: true},
		{name: "web." + here + ".svc", of: here, partial: true},
		{name: "web." + here + ".svc.cluster.local", of: here},
		{name: "web." + here + ".svc.cluster.local.", of: here},
		{name: "web." + there, of: there, partial: true},
		{name: "web." + there + ".svc.cluster.local", of: there},
		{name: "www.example.com", of: "outside"},
	}
	for _, r := range resolvers {
		t.Run(r.name, func(t *testing.T) {
			c := client{namespace: here, name: r.name, image: r.image}.start(t)
			for _, n := range names {
				if r.noPartial && n.partial {
					continue
				}
				c.eventuallyPrints(t, []string{want[n.of]}, r.command(n.name)...)
			}
			if out, err := c.try(t.Context(), r.command("nobody")...); strings.TrimSpace(out) != "" {
				t.Errorf("nobody: printed %q, error %v", out, err)
			}
		})
	}
}

// resolver is a program that resolves a name. The shell prefers the commands of busybox to
// others of the same name.
type resolver struct {
	name, image string
	shell       string // prints the IPv4 addresses of the name $0, one per line
	noPartial   bool   // it does not search for a name with a dot
}

func (r resolver) command(name string) []string { return []string{"sh", "-c", r.shell, name} }

var resolvers = []resolver{
	{name: "nslookup", image: lab.Glibc, shell: `/usr/bin/nslookup -type=A "$0" | awk '/^Address/ && !/#53/ {print $2}'`},
	{name: "busybox", image: lab.Busybox, shell: `nslookup "$0" 2>/dev/null | awk '/^Address/ && $2 !~ /:/ {print $2}'`, noPartial: true},
	{name: "dig", image: lab.Glibc, shell: `dig +search +short A "$0"`},
	{name: "getent", image: lab.Glibc, shell: `getent ahostsv4 "$0" | awk '/STREAM/ {print $1}'`},
	{name: "glibc", image: lab.Glibc, shell: `resolve "$0" | awk '!/:/ {print $2}'`},
	{name: "musl", image: lab.Musl, shell: `resolve "$0" | awk '!/:/ {print $2}'`},
}

// newService makes a Service without endpoints and returns its ClusterIP.
func newService(t *testing.T, namespace, name string) string {
	t.Helper()
	apply(t, fmt.Sprintf(`{apiVersion: v1, kind: Service, metadata: {name: %s, namespace: %s}, spec: {ports: [{port: 80}]}}`, name, namespace))
	return kubectl(t, "get", "service", "--namespace", namespace, name, "-o", "jsonpath={.spec.clusterIP}")
}

// TestPureGo looks names up with Go's own resolver, in an image that has nothing else.
func TestPureGo(t *testing.T) {
	namespace := newNamespace(t, "pure-go")
	addr := newService(t, namespace, "web")
	apply(t, fmt.Sprintf(`{apiVersion: v1, kind: Pod, metadata: {name: client, namespace: %s}, spec: {restartPolicy: OnFailure,
  containers: [{name: client, image: %q, args: [web, web.%[1]s.svc, www.example.com]}]}}`, namespace, lab.PureGo))
	kubectl(t, "wait", "--namespace", namespace, "pod/client", "--for=jsonpath={.status.phase}=Succeeded", "--timeout="+patience.String())
	want := fmt.Sprintf("web %s\nweb.%s.svc %[1]s\nwww.example.com 192.0.2.80\nwww.example.com 2001:db8::80\n", addr, namespace)
	if got := kubectl(t, "logs", "--namespace", namespace, "client"); got != want {
		t.Errorf("printed %q, want %q", got, want)
	}
}

// TestDualStack looks up a Service with both families, and its Pods.
func TestDualStack(t *testing.T) {
	namespace := newNamespace(t, "dual-stack")
	apply(t, fmt.Sprintf(`
{apiVersion: v1, kind: Service, metadata: {name: both, namespace: %[1]s}, spec: {ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: six, namespace: %[1]s}, spec: {ipFamilies: [IPv6], ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Service, metadata: {name: pods, namespace: %[1]s}, spec: {clusterIP: None, ipFamilyPolicy: RequireDualStack, selector: {app: client}}}
`, namespace))
	c := client{namespace: namespace, name: "client", image: lab.Glibc}.start(t)
	addrs := func(kind, name, path string) []string {
		return strings.Fields(kubectl(t, "get", kind, "--namespace", namespace, name, "-o", "jsonpath={"+path+"}"))
	}
	c.eventuallyPrints(t, addrs("service", "both", ".spec.clusterIPs[*]"), "dig", "+search", "+short", "both", "A", "both", "AAAA")
	c.eventuallyPrints(t, addrs("service", "six", ".spec.clusterIPs[*]"), "dig", "+search", "+short", "six", "A", "six", "AAAA")
	c.eventuallyPrints(t, addrs("pod", "client", ".status.podIPs[*].ip"), "dig", "+search", "+short", "pods", "A", "pods", "AAAA")
}

// TestExternalName follows an alias to an outside name and one to an inside name, also
// after the alias changes.
func TestExternalName(t *testing.T) {
	namespace := newNamespace(t, "external-name")
	addr := newService(t, namespace, "web")
	alias := func(target string) {
		apply(t, fmt.Sprintf(`{apiVersion: v1, kind: Service, metadata: {name: alias, namespace: %s}, spec: {type: ExternalName, externalName: %s}}`, namespace, target))
	}
	c := client{namespace: namespace, name: "client", image: lab.Glibc}.start(t)
	alias("www.example.com")
	c.eventuallyPrints(t, []string{"www.example.com.", "192.0.2.80"}, "dig", "+search", "+short", "alias")
	inside := "web." + namespace + ".svc.cluster.local"
	alias(inside)
	c.eventuallyPrints(t, []string{inside + ".", addr}, "dig", "+search", "+short", "alias")
}
