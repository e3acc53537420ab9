package doctor

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	authorizationv1 "k8s.io/api/authorization/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/test/netlab"
)

const account = "system:serviceaccount:kube-system:coredns"

// TestDoctor plants one fault after another.
func TestDoctor(t *testing.T) {
	w := startWorld(t)
	for _, tc := range []struct {
		name string
		run  func(*testing.T, *world)
	}{
		{"well", testWell},
		{"rights taken away", testRights},
		{"zone differs", testZone},
		{"address differs", testAddress},
		{"two Deployments", testTwo},
		{"Deployment and DaemonSet", testNodes},
		{"loop", testLoop},
		{"loop by dnsPolicy", testPolicy},
		{"upstream down", testUpstream},
		{"one of two upstreams down", testOneUpstream},
		{"a line that turns the sockets off", testSockets},
		{"data old", testOld},
		{"replica silent", testSilent},
		{"replicas differ", testDiffer},
		{"probe fails", testProbe},
		{"ended for its memory", testMemory},
		{"Corefile that surprises", testCorefile},
		{"cache on the node", testNode},
		{"flood", testFlood},
		{"from afar", testAfar},
		{"from afar with one silent", testAfarSilent},
		{"in the Pod", testInPod},
		{"user without rights", testNobody},
	} {
		t.Run(tc.name, func(t *testing.T) { tc.run(t, w) })
	}
}

func testWell(t *testing.T, w *world) {
	w.well(t)
	e := w.examine(t)
	for check, l := range e.all {
		if l.Light != "green" {
			t.Errorf("%s is %s: %s", check, l.Light, l.What)
		}
	}
	if e.code != 0 {
		t.Errorf("exit code %d", e.code)
	}
}

func testRights(t *testing.T, w *world) {
	w.well(t)
	roles := w.Client().RbacV1().ClusterRoles()
	role, err := roles.Get(t.Context(), "system:coredns", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before := role.DeepCopy().Rules
	setRules := func(rules []rbacv1.PolicyRule, allowed bool) {
		role, err := roles.Get(context.Background(), "system:coredns", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		role.Rules = rules
		if _, err := roles.Update(context.Background(), role, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
		w.AwaitRule(t, account, authorizationv1.ResourceAttributes{Group: "discovery.k8s.io", Resource: "endpointslices", Verb: "list"}, allowed)
	}
	setRules(before[:1], false)
	e := w.examine(t)
	setRules(before, true)
	e.want(t, "rights", "red", "kube-system/coredns may not list endpointslices.discovery.k8s.io, watch endpointslices.discovery.k8s.io", "deploy/kubernetes")
	if e.code != 3 {
		t.Errorf("exit code %d", e.code)
	}
}

func testZone(t *testing.T, w *world) {
	w.well(t)
	w.kubelet.domain = "k8s.example"
	defer func() { w.kubelet.domain = "cluster.local" }()
	w.examine(t).want(t, "zone", "red", "serves cluster.local, and kubelet of 1 of 1 nodes gives Pods the domain k8s.example", "k8s.example in the Corefile")
}

func testAddress(t *testing.T, w *world) {
	w.well(t)
	w.kubelet.dns = "10.96.0.11"
	defer func() { w.kubelet.dns = "10.96.0.10" }()
	w.examine(t).want(t, "service", "red", "gives Pods 10.96.0.11, Service kube-system/kube-dns is 10.96.0.10", "clusterIP: 10.96.0.11")
}

func testTwo(t *testing.T, w *world) {
	w.well(t)
	w.start(t, replica{addr: kubeletAddr, name: "stock-1-a", owner: "stock-1", image: "registry.k8s.io/coredns/coredns:v1.14.2", dead: true})
	w.examine(t).want(t, "workloads", "yellow", "2 workloads answer behind the Service", "Deployment stock with registry.k8s.io/coredns/coredns:v1.14.2")
}

// A server on every node has a Corefile of its own.
func testNodes(t *testing.T, w *world) {
	serveUpstream(t)
	other := replace(t, whole, "kubernetes cluster.local", "kubernetes k8s.example")
	w.configureAs(t, "coredns-node", other)
	w.configure(t, whole)
	w.start(t, replica{addr: oneAddr, name: "coredns-1-a", corefile: whole}, replica{addr: otherAddr, name: "coredns-node-x", daemonSet: "coredns-node", corefile: other})
	e := w.examine(t)
	e.want(t, "workloads", "green", "DaemonSet coredns-node, Deployment coredns")
	e.want(t, "zone", "red", "ConfigMap kube-system/coredns-node:Corefile: the Corefile serves k8s.example, and")
}

func testLoop(t *testing.T, w *world) {
	corefile := replace(t, whole, "forward . 10.244.0.53", "forward . 10.96.0.10")
	w.servers(t, corefile)
	w.examine(t).want(t, "loop", "red", "10.96.0.10 is the address of this server's own Service", "resolver outside the cluster")
}

func testPolicy(t *testing.T, w *world) {
	serveUpstream(t)
	corefile := replace(t, whole, "forward . 10.244.0.53", "forward . /etc/resolv.conf")
	w.configure(t, corefile)
	w.start(t, replica{addr: oneAddr, name: "coredns-1-a", corefile: corefile, policy: "ClusterFirst"})
	w.examine(t).want(t, "loop", "red", "Pod coredns-1-a has dnsPolicy: ClusterFirst, so its /etc/resolv.conf leads to the Service 10.96.0.10 itself", "dnsPolicy: Default")
}

func testUpstream(t *testing.T, w *world) {
	w.servers(t, whole)
	w.examine(t).want(t, "upstreams", "red", "Pod coredns-1-a answers names outside the cluster with SERVFAIL", "Pod coredns-1-b", "dig @ADDRESS")
}

func testOneUpstream(t *testing.T, w *world) {
	serveUpstream(t)
	corefile := replace(t, whole, "forward . 10.244.0.53", "forward . 10.244.0.9 10.244.0.53 {\n policy sequential\n }")
	w.servers(t, corefile)
	w.examine(t).want(t, "upstreams", "yellow", "10.244.0.9:53 of Pod coredns-1-a does not answer")
}

func testSockets(t *testing.T, w *world) {
	serveUpstream(t)
	w.servers(t, replace(t, whole, "    errors\n", "    errors\n    log\n"))
	w.examine(t).want(t, "sockets", "yellow", "go through the plugin chain: line 3: ", "doc/fast-path.md")
}

func testOld(t *testing.T, w *world) {
	serveUpstream(t)
	file := filepath.Join(t.TempDir(), "state")
	corefile := replace(t, whole, "ttl 30", "ttl 30\n        state "+file)
	t.Run("written", func(t *testing.T) {
		w.configure(t, corefile)
		w.start(t, replica{addr: oneAddr, name: "coredns-1-a", corefile: corefile})
		netlab.Eventually(t, func(context.Context) error {
			_, err := os.Stat(file)
			return err
		})
	})
	away := []string{"KUBERNETES_SERVICE_PORT=1"}
	w.start(t, replica{addr: oneAddr, name: "coredns-1-a", corefile: corefile, env: away})
	e := w.examine(t)
	e.want(t, "data", "red", "Pod coredns-1-a has started from its file of state, which is ", "the API server has not answered since")
	e.want(t, "replies", "green")
}

func testSilent(t *testing.T, w *world) {
	serveUpstream(t)
	all := pair(whole)
	all[1].dead = true
	w.configure(t, whole)
	w.start(t, all...)
	w.examine(t).want(t, "replies", "red", "Pod coredns-1-b does not answer over UDP", "Pod coredns-1-b does not answer over TCP", "NetworkPolicy")
}

func testDiffer(t *testing.T, w *world) {
	serveUpstream(t)
	all := pair(whole)
	all[1].corefile = replace(t, whole, "ttl 30", "namespaces shop")
	w.configure(t, whole)
	w.start(t, all...)
	w.examine(t).want(t, "replies", "red", "Pod coredns-1-a says kubernetes.default.svc.cluster.local. A: NOERROR 10.96.0.1", "Pod coredns-1-b says kubernetes.default.svc.cluster.local. A: NXDOMAIN")
}

func testProbe(t *testing.T, w *world) {
	serveUpstream(t)
	all := pair(whole)
	all[1].unready = true
	w.configure(t, whole)
	w.start(t, all...)
	for _, event := range []struct{ name, at, says string }{
		{"b.1", "2026-01-02T03:04:05Z", "Readiness probe failed: older"},
		{"b.2", "2026-01-02T03:06:05Z", "Readiness probe failed: HTTP probe failed with statuscode: 404"},
		{"b.3", "2026-01-02T03:05:05Z", "Readiness probe failed: old"},
		{"b.4", "2026-01-02T03:07:05Z", "Liveness probe failed: another probe"},
	} {
		w.apply(t, fmt.Sprintf(`{apiVersion: v1, kind: Event, metadata: {name: %s, namespace: kube-system}, involvedObject: {kind: Pod, name: coredns-1-b, namespace: kube-system},
  reason: Unhealthy, type: Warning, lastTimestamp: %s, message: %q}`, event.name, event.at, event.says))
	}
	w.examine(t).want(t, "pods", "red", "Pod coredns-1-b is not ready: Readiness probe failed: HTTP probe failed with statuscode: 404 =>", "describe pod coredns-1-b")
}

func testMemory(t *testing.T, w *world) {
	serveUpstream(t)
	w.configure(t, whole)
	w.start(t, replica{addr: oneAddr, name: "coredns-1-a", corefile: whole, ended: "OOMKilled"})
	w.examine(t).want(t, "memory", "red", "Pod coredns-1-a was ended by the kernel for its memory at 2026-01-02 03:04", "raise the memory limit")
}

func testCorefile(t *testing.T, w *world) {
	serveUpstream(t)
	w.servers(t, replace(t, whole, "    errors\n", "    errors\n    template ANY AAAA {\n        rcode NXDOMAIN\n    }\n"))
	w.examine(t).want(t, "corefile", "yellow", "line 4: NXDOMAIN says that the name does not exist at all")
}

func testNode(t *testing.T, w *world) {
	w.well(t)
	w.kubelet.dns = "169.254.20.10"
	defer func() { w.kubelet.dns = "10.96.0.10" }()
	e := w.examine(t)
	e.want(t, "service", "green", "169.254.20.10, a cache on the node")
	e.want(t, "resolver", "yellow", "no Pod of a cache is seen")
	w.apply(t, `
apiVersion: v1
kind: Pod
metadata:
  name: node-local-dns-x
  namespace: kube-system
  labels: {k8s-app: node-local-dns}
  ownerReferences: [{apiVersion: apps/v1, kind: DaemonSet, name: node-local-dns, uid: u, controller: true}]
spec:
  nodeName: node-1
  hostNetwork: true
  containers: [{name: node-cache, image: node-cache, args: [-localip, "169.254.20.10,10.96.0.10", -conf, /etc/Corefile]}]
`)
	defer w.deletePod(t, "node-local-dns-x")
	w.examine(t).want(t, "resolver", "green", "Pods ask 169.254.20.10, which is the cache DaemonSet node-local-dns on their node")
	w.kubelet.dns = "10.96.0.10"
	w.examine(t).want(t, "resolver", "green", "Pods ask 10.96.0.10, which is the cache DaemonSet node-local-dns on their node")
}

func testFlood(t *testing.T, w *world) {
	w.well(t)
	stop := flood(t, netip.AddrPortFrom(oneAddr, 53).String())
	e := w.examine(t)
	stop()
	e.want(t, "denials", "yellow", "names a second are denied", "coredns top")
	e = w.examine(t)
	e.want(t, "questions", "yellow", "are for AAAA", "the cluster has no IPv6", "no_aaaa", "only a search path makes", "search in kubernetes")
}

// flood asks for what does not exist until the function that it returns is called.
func flood(t *testing.T, addr string) (stop func()) {
	t.Helper()
	conn, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var asking sync.WaitGroup
	asking.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			packed, err := new(dns.Msg).SetQuestion(fmt.Sprintf("host-%d.example.org.cluster.local.", i), dns.TypeAAAA).Pack()
			if err != nil {
				return
			}
			_, _ = conn.Write(packed) // the kernel may have no room
			if i%10 == 0 {
				time.Sleep(time.Millisecond) // 10,000 a second at most
			}
		}
	})
	return func() {
		cancel()
		asking.Wait()
		_ = conn.Close()
	}
}

// hidden is a Corefile whose metrics nobody sees, so that nothing shows that the Pods' network can be reached.
func hidden(t *testing.T) string {
	return replace(t, whole, "prometheus ADDR:9153", "prometheus 127.0.0.1:0")
}

func testAfar(t *testing.T, w *world) {
	serveUpstream(t)
	w.servers(t, hidden(t))
	e := w.examine(t)
	e.want(t, "replies", "green", "2 replicas answer over TCP by way of the API server, and say the same", "kubectl -n kube-system exec coredns-1-a")
	e.want(t, "upstreams", "green", "names outside are answered")
	e.want(t, "data", "unknown", "the metrics of Pod coredns-1-", "prometheus :9153 in the Corefile")
}

func testAfarSilent(t *testing.T, w *world) {
	all := pair(hidden(t))
	all[1].dead = true
	w.configure(t, hidden(t))
	w.start(t, all...)
	w.examine(t).want(t, "replies", "red", "Pod coredns-1-b does not answer over TCP")
}

func testInPod(t *testing.T, w *world) {
	w.well(t)
	for _, v := range w.env {
		name, value, _ := strings.Cut(v, "=")
		t.Setenv(name, value)
	}
	t.Setenv("KUBECONFIG", "")
	t.Setenv("HOME", t.TempDir())
	e := w.examine(t, "-service", "kube-system/kube-dns")
	for _, check := range []string{"rights", "corefile", "loop", "workloads", "pods", "replies", "data", "denials", "sockets", "drops", "memory"} {
		e.want(t, check, "green")
	}
	e.want(t, "upstreams", "green", "10.244.0.53:53 answers over UDP and TCP")
	e.want(t, "service", "unknown", "you may not list nodes", "you may not get the ConfigMap kube-system/kubelet-config")
	if e.code != 4 {
		t.Errorf("exit code %d", e.code)
	}
}

func testNobody(t *testing.T, w *world) {
	w.well(t)
	nobody, err := w.User("nobody")
	if err != nil {
		t.Fatal(err)
	}
	path, err := w.Kubeconfig(nobody)
	if err != nil {
		t.Fatal(err)
	}
	e := w.examine(t, "-kubeconfig", path)
	for check, l := range e.all {
		if l.Light != "unknown" || !strings.Contains(l.What, "you may not list services in kube-system") {
			t.Errorf("%s is %s: %s", check, l.Light, l.What)
		}
	}
	if e.code != 4 {
		t.Errorf("exit code %d", e.code)
	}
}
