//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/clusterdns/clusterdns/test/lab"
	"github.com/clusterdns/clusterdns/test/lab/node"
)

// TestStatefulSet looks up the names of a StatefulSet's Pods while it grows and shrinks.
func TestStatefulSet(t *testing.T) {
	c := startClient(t, "stateful-set")
	apply(t, fmt.Sprintf(`
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: %[1]s}, spec: {clusterIP: None, selector: {app: db}, ports: [{name: sql, port: 5432}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: %[1]s}
spec:
  serviceName: db
  replicas: 0
  podManagementPolicy: Parallel
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec: {terminationGracePeriodSeconds: 0, containers: [{name: db, image: %[2]q}]}
`, c.namespace, lab.Busybox))
	for _, replicas := range []int{1, 3, 2, 0} {
		kubectl(t, "scale", "--namespace", c.namespace, "statefulset/db", fmt.Sprintf("--replicas=%d", replicas))
		kubectl(t, "rollout", "status", "--namespace", c.namespace, "statefulset/db", "--timeout="+patience.String())
		var all []string
		for i := range 4 {
			addr := []string{}
			if i < replicas {
				addr = []string{podAddress(t, c.namespace, fmt.Sprintf("db-%d", i))}
			}
			all = append(all, addr...)
			c.eventuallyPrints(t, addr, "dig", "+search", "+short", fmt.Sprintf("db-%d.db", i))
		}
		c.eventuallyPrints(t, all, "dig", "+search", "+short", "db")
	}
}

// TestReadiness makes a Pod not ready and ready again: the name of its headless Service
// disappears and returns, unless the Service publishes addresses that are not ready.
func TestReadiness(t *testing.T) {
	c := startClient(t, "readiness")
	apply(t, fmt.Sprintf(`
{apiVersion: v1, kind: Service, metadata: {name: ready, namespace: %[1]s}, spec: {clusterIP: None, selector: {app: flipping}}}
---
{apiVersion: v1, kind: Service, metadata: {name: always, namespace: %[1]s}, spec: {clusterIP: None, publishNotReadyAddresses: true, selector: {app: flipping}}}
---
apiVersion: v1
kind: Pod
metadata: {name: flipping, namespace: %[1]s, labels: {app: flipping}}
spec:
  terminationGracePeriodSeconds: 0
  containers:
  - name: c
    image: %[2]q
    readinessProbe: {exec: {command: [test, -e, /tmp/ready]}, periodSeconds: 1, failureThreshold: 1}
`, c.namespace, lab.Busybox))
	flipping := client{namespace: c.namespace, name: "flipping"}
	kubectl(t, "wait", "--namespace", c.namespace, "pod/flipping", "--for=jsonpath={.status.phase}=Running", "--timeout="+patience.String())
	addr := []string{podAddress(t, c.namespace, "flipping")}
	for range 2 {
		c.eventuallyPrints(t, nil, "dig", "+search", "+short", "ready")
		c.eventuallyPrints(t, addr, "dig", "+search", "+short", "always")
		flipping.run(t, "touch", "/tmp/ready")
		c.eventuallyPrints(t, addr, "dig", "+search", "+short", "ready")
		flipping.run(t, "rm", "/tmp/ready")
	}
}

func podAddress(t *testing.T, namespace, pod string) string {
	t.Helper()
	var addr string
	eventually(t, func(ctx context.Context) (err error) {
		addr, err = cluster.Kubectl(ctx, "get", "pod", "--namespace", namespace, pod, "-o", "jsonpath={.status.podIP}")
		if err == nil && addr == "" {
			err = fmt.Errorf("pod %s has no address", pod)
		}
		return err
	})
	return addr
}

// TestDNSPolicy reads the resolv.conf that kubelet writes for each policy, resolves with it, and
// compares it with what explain tells, from outside and in the Pod of a server.
func TestDNSPolicy(t *testing.T) {
	answerCommands(t)
	outside, inside := outside(t), inside(t, serverPods(t)[0])
	namespace := newNamespace(t, "dns-policy")
	addr := newService(t, namespace, "web")
	other := "web." + namespace + ".svc.cluster.local"
	search := namespace + ".svc.cluster.local svc.cluster.local cluster.local lab.example"
	for _, tc := range []struct {
		name, spec string
		resolvConf []string
		asked      string // by getent
		want       string // address; empty for none
	}{
		{"cluster-first", "dnsPolicy: ClusterFirst", []string{"search " + search, "nameserver 10.96.0.10", "options ndots:5"}, "web", addr},
		{"default", "dnsPolicy: Default", []string{"search lab.example", "nameserver 172.30.0.2"}, other, ""},
		{"host-network", "hostNetwork: true", []string{"search lab.example", "nameserver 172.30.0.2"}, other, ""},
		{
			"host-network-cluster", "hostNetwork: true, dnsPolicy: ClusterFirstWithHostNet",
			[]string{"search " + search, "nameserver 10.96.0.10", "options ndots:5"}, "web", addr,
		}, {
			"none", "dnsPolicy: None, dnsConfig: {nameservers: [10.96.0.10], searches: [svc.cluster.local], options: [{name: ndots, value: '2'}]}",
			[]string{"search svc.cluster.local", "nameserver 10.96.0.10", "options ndots:2"}, "web." + namespace, addr,
		}, {
			"more", "dnsConfig: {searches: [more.example], options: [{name: ndots, value: '1'}, {name: edns0}]}",
			[]string{"search " + search + " more.example", "nameserver 10.96.0.10", "options edns0 ndots:1"}, "web", addr,
		}, {
			"beyond-bounds", "dnsConfig: {nameservers: [192.0.2.1, 192.0.2.2, 192.0.2.3], searches: [svc.cluster.local, " + suffixes(31, ", ") +
				"], options: [{name: timeout, value: '1'}, {name: timeout, value: '2'}]}",
			[]string{"search " + search + " " + suffixes(28, " "), "nameserver 10.96.0.10", "nameserver 192.0.2.1", "nameserver 192.0.2.2", "options ndots:5 timeout:2"}, "web", addr,
		}, {
			"root", "dnsConfig: {searches: [svc.cluster.local., .]}",
			[]string{"search " + search + " svc.cluster.local. .", "nameserver 10.96.0.10", "options ndots:5"}, "web", addr,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := client{namespace: namespace, name: tc.name, image: lab.Glibc, spec: tc.spec}.start(t)
			if got := c.resolvConf(t); !slices.Equal(got, tc.resolvConf) {
				t.Errorf("resolv.conf %q, want %q", got, tc.resolvConf)
			}
			for where, command := range map[string]command{"outside": outside, "inside": inside} {
				if diff := cmp.Diff(parseResolvConf(tc.resolvConf), command.tells(t, c), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("kubelet writes (-), explain tells %s (+):\n%s", where, diff)
				}
			}
			c.eventuallyPrints(t, strings.Fields(tc.want), "sh", "-c", `getent ahostsv4 "$0" | awk '/STREAM/ {print $1}'`, tc.asked)
		})
	}
}

// resolvConf returns the sorted lines of the client's resolv.conf. Kubelet writes the
// options in random order, since it merges them in a map.
func (c client) resolvConf(t *testing.T) []string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(c.run(t, "cat", "/etc/resolv.conf")), "\n")
	for i, line := range lines {
		if options, ok := strings.CutPrefix(line, "options "); ok {
			lines[i] = "options " + strings.Join(slices.Sorted(slices.Values(strings.Fields(options))), " ")
		}
	}
	return lines
}

func suffixes(n int, separator string) string {
	all := make([]string, n)
	for i := range all {
		all[i] = fmt.Sprintf("s%d.example", i)
	}
	return strings.Join(all, separator)
}

// resolvConf is what kubelet writes for a Pod. It has no nameservers for a Pod that asks those of
// its node, because explain does not know them.
type resolvConf struct {
	Search, Options, Nameservers []string
	Ndots                        int
}

func parseResolvConf(lines []string) resolvConf {
	r := resolvConf{Ndots: 1}
	for _, line := range lines {
		switch words := strings.Fields(line); words[0] {
		case "search":
			r.Search = words[1:]
		case "nameserver":
			if words[1] != node.Address {
				r.Nameservers = append(r.Nameservers, words[1])
			}
		case "options":
			for _, o := range words[1:] {
				if _, err := fmt.Sscanf(o, "ndots:%d", &r.Ndots); err != nil {
					r.Options = append(r.Options, o)
				}
			}
		}
	}
	return r
}

// tells returns the resolv.conf that explain tells of a Pod.
func (c command) tells(t *testing.T, pod client) resolvConf {
	t.Helper()
	s, err := c(t.Context(), "explain", "-from", pod.namespace+"/"+pod.name, "-node-search", "lab.example", "-o", "json", "web")
	if err != nil {
		t.Fatal(err)
	}
	var told struct{ ResolvConf resolvConf }
	if err := json.NewDecoder(strings.NewReader(s.text)).Decode(&told); err != nil {
		t.Fatalf("exit code %d: %v: %s", s.code, err, s.text)
	}
	return told.ResolvConf
}
