package searchpath

import (
	"strings"
	"testing"

	"github.com/miekg/dns"
)

const (
	origin    = "cluster.local."
	namespace = "app"
)

// wire returns a name in wire form and lower case. The suffix "." is the root.
func wire(t testing.TB, name string) string {
	t.Helper()
	var buf [maxName]byte
	end, err := dns.PackDomainName(strings.ToLower(name), buf[:], 0, nil, false)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(buf[:end])
}

func wires(t testing.TB, names string) []string {
	var all []string
	for _, name := range strings.Fields(names) {
		all = append(all, wire(t, name))
	}
	return all
}

func text(t testing.TB, wire []byte) string {
	t.Helper()
	name, _, err := dns.UnpackDomainName(wire, 0)
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// names is a cluster of Services, each written <service>.<namespace>; an exclamation mark
// marks one without an address. A Namespace exists if it has a Service.
type names map[string]bool

func clusterOf(services string) names {
	c := names{"svc": true, namespace: true}
	for _, name := range strings.Fields(services) {
		bare := strings.TrimSuffix(name, "!")
		c[bare] = bare == name
		for at := range bare {
			if bare[at] == '.' {
				c[bare[at+1:]] = true
			}
		}
	}
	return c
}

func (c names) Taken(namespace, service []byte) bool {
	if !c[string(namespace)] {
		return true
	}
	_, known := c[string(service)+"."+string(namespace)]
	return known
}

func (c names) Status(name []byte) Status {
	text, _, err := dns.UnpackDomainName(name, 0)
	switch below, inside := strings.CutSuffix(text, "."+origin); {
	case err != nil || !inside:
		return Elsewhere
	case below == "svc" || c[strings.TrimSuffix(below, ".svc")] && strings.HasSuffix(below, ".svc"):
		return Present
	case strings.HasPrefix(below, "alias."):
		return Unclear
	}
	return Absent
}

// stops returns the names at which a walk stops if none of them turns out to exist. It
// returns a dash if the name cannot have been searched for.
func stops(t testing.TB, c Cluster, question string, l *List) string {
	t.Helper()
	q, ok := Parse([]byte(wire(t, question)), wire(t, origin))
	var w Walk
	if !ok || !w.Begin(q, l, c) {
		return "-"
	}
	var found []string
	for w.Next() {
		name := text(t, w.Name())
		found = append(found, name)
		if w.Status() == Present {
			break
		}
	}
	return strings.Join(found, " ")
}

func check(t *testing.T, title, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", title, got, want)
	}
}
