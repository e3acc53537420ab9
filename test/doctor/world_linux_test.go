package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/commands"
	"github.com/clusterdns/clusterdns/test/controlplane"
	"github.com/clusterdns/clusterdns/test/kit/prose"
	"github.com/clusterdns/clusterdns/test/netlab"
)

// world is a cluster with a DNS server.
type world struct {
	*controlplane.Cluster
	env        []string // for servers: where the API server is
	kubeconfig string
	kubelet    *kubelet
	forwards   map[string]netip.Addr // Pods whose ports kubelet forwards
}

// kubelet has the settings that a stand-in for kubelet gives.
type kubelet struct{ dns, domain string }

// whole is a Corefile like kubeadm's, for the server at an address.
const whole = `.:53 {
    bind ADDR
    errors
    health ADDR:8080
    ready ADDR:8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        pods verified
        fallthrough in-addr.arpa ip6.arpa
        ttl 30
    }
    prometheus ADDR:9153
    forward . 10.244.0.53
    cache 30
    reload
    loadbalance
}
`

// startWorld starts what all tests share.
func startWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Cluster: controlplane.StartTest(t, controlplane.Options{}), kubelet: &kubelet{"10.96.0.10", "cluster.local"}, forwards: map[string]netip.Addr{"coredns-1-a": oneAddr, "coredns-1-b": otherAddr}}
	w.apply(t, read(t, "../../deploy/kubernetes/rbac.yaml"))
	w.apply(t, read(t, "testdata/cluster.yaml"))
	w.env = netlab.MountAccount(t, w.Cluster, "kube-system", "coredns")
	path, err := w.Kubeconfig(w.Admin())
	if err != nil {
		t.Fatal(err)
	}
	w.kubeconfig = path
	w.startKubelet(t)
	return w
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func (w *world) apply(t *testing.T, manifest string) {
	t.Helper()
	if err := w.Apply(t.Context(), []byte(manifest)); err != nil {
		t.Fatal(err)
	}
}

// startKubelet starts a stand-in for kubelet that gives its settings.
func (w *world) startKubelet(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", netip.AddrPortFrom(kubeletAddr, 10250).String())
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/portForward/") {
			forwardPorts(out, r, w.forwards)
			return
		}
		if r.URL.Path != "/configz" {
			http.NotFound(out, r)
			return
		}
		_ = json.NewEncoder(out).Encode(map[string]any{"kubeletconfig": map[string]any{"clusterDNS": []string{w.kubelet.dns}, "clusterDomain": w.kubelet.domain}})
	}))
	server.Listener.Close()
	server.Listener = listener
	server.StartTLS()
	t.Cleanup(server.Close)
}

// configure gives the servers a Corefile.
func (w *world) configure(t *testing.T, corefile string) {
	t.Helper()
	w.configureAs(t, "coredns", corefile)
}

func (w *world) configureAs(t *testing.T, name, corefile string) {
	t.Helper()
	text, err := json.Marshal(strings.NewReplacer("    bind ADDR\n", "", "ADDR:", ":").Replace(corefile))
	if err != nil {
		t.Fatal(err)
	}
	w.apply(t, fmt.Sprintf("{apiVersion: v1, kind: ConfigMap, metadata: {name: %s, namespace: kube-system}, data: {Corefile: %s}}", name, text))
}

// replica is a Pod of the DNS server, and the process that is its container.
type replica struct {
	addr      netip.Addr
	name      string
	owner     string // the name of the ReplicaSet; coredns-1 if empty
	image     string
	daemonSet string // its owner in place of a ReplicaSet, and the name of its ConfigMap
	corefile  string // with ADDR for the address
	env       []string
	dead      bool   // without a process
	unready   bool   // does not become ready
	policy    string // Default if empty
	ended     string // the reason why it ended before
}

const podManifest = `
apiVersion: v1
kind: Pod
metadata:
  name: %[1]s
  namespace: kube-system
  labels: {k8s-app: kube-dns, pod-template-hash: "1"}
  ownerReferences: [{apiVersion: apps/v1, kind: %[9]s, name: %[2]s, uid: u, controller: true}]
spec:
  nodeName: node-1
  serviceAccountName: coredns
  dnsPolicy: %[6]s
  containers:
  - name: coredns
    image: %[3]s
    args: [-conf, %[5]s/Corefile]
    ports: [{name: dns, containerPort: 53, protocol: UDP}, {name: dns-tcp, containerPort: 53, protocol: TCP}, {name: metrics, containerPort: 9153}]
    resources: {limits: {memory: 170Mi}}
    volumeMounts: [{name: config-volume, mountPath: %[5]s}]
  volumes: [{name: config-volume, configMap: {name: %[10]s, items: [{key: Corefile, path: Corefile}]}}]
status:
  phase: Running
  podIP: %[4]s
  podIPs: [{ip: %[4]s}]
  conditions: [{type: Ready, status: '%[11]s'}]
  containerStatuses: [{name: coredns, ready: true, restartCount: %[7]d, image: i, imageID: i, state: {running: {}}, lastState: {%[8]s}}]
`

// start starts replicas that end with the test.
func (w *world) start(t *testing.T, replicas ...replica) {
	t.Helper()
	for _, r := range replicas {
		r.start(t, w)
	}
}

func (r replica) start(t *testing.T, w *world) {
	t.Helper()
	if r.owner == "" {
		r.owner = "coredns-1"
	}
	if r.image == "" {
		r.image = "registry.example/clusterdns/coredns:1"
	}
	if r.policy == "" {
		r.policy = "Default"
	}
	kind, config := "ReplicaSet", "coredns"
	if r.daemonSet != "" {
		r.owner, kind, config = r.daemonSet, "DaemonSet", r.daemonSet
	}
	restarts, last := 0, ""
	if r.ended != "" {
		restarts, last = 1, fmt.Sprintf("terminated: {exitCode: 137, reason: %s, finishedAt: '2026-01-02T03:04:05Z'}", r.ended)
	}
	ready := "True"
	if r.unready {
		ready = "False"
	}
	folder := t.TempDir() // the command reads it if it runs in the Pod
	r.corefile = strings.ReplaceAll(r.corefile, "ADDR", r.addr.String())
	if err := os.WriteFile(filepath.Join(folder, "Corefile"), []byte(r.corefile), 0o600); err != nil {
		t.Fatal(err)
	}
	w.apply(t, fmt.Sprintf(podManifest, r.name, r.owner, r.image, r.addr, folder, r.policy, restarts, last, kind, config, ready))
	t.Cleanup(func() { w.deletePod(t, r.name) })
	if r.dead {
		return
	}
	binary, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	process := netlab.StartServer(t, netlab.Server{
		Binary:   binary,
		Corefile: r.corefile,
		Env:      slices.Concat([]string{serverVariable + "=yes"}, w.env, r.env), // of two with one name the last counts
	})
	if !r.unready {
		process.Eventually(t, netlab.Ready(r.addr.String()+":8181"))
	}
}

func (w *world) deletePod(t *testing.T, name string) {
	t.Helper()
	now := metav1.DeleteOptions{GracePeriodSeconds: new(int64)}
	if err := w.Client().CoreV1().Pods("kube-system").Delete(context.Background(), name, now); err != nil {
		t.Error(err)
	}
}

// pair returns two replicas with a Corefile.
func pair(corefile string) []replica {
	return []replica{{addr: oneAddr, name: "coredns-1-a", corefile: corefile}, {addr: otherAddr, name: "coredns-1-b", corefile: corefile}}
}

// well starts a whole server.
func (w *world) well(t *testing.T) {
	t.Helper()
	serveUpstream(t)
	w.servers(t, whole)
}

// servers starts two replicas with a Corefile.
func (w *world) servers(t *testing.T, corefile string) {
	t.Helper()
	w.configure(t, corefile)
	w.start(t, pair(corefile)...)
}

// serveUpstream serves names outside the cluster, none of which exists.
func serveUpstream(t *testing.T) {
	t.Helper()
	netlab.ServeDNS(t, netip.AddrPortFrom(upstreamAddr, 53).String(), dns.HandlerFunc(func(out dns.ResponseWriter, r *dns.Msg) {
		_ = out.WriteMsg(new(dns.Msg).SetRcode(r, dns.RcodeNameError))
	}))
}

// examined is what the command has said.
type examined struct {
	code int
	text string
	all  map[string]line
}

type line struct{ Check, Light, What, Remedy string }

// examine runs the command as the administrator of the cluster, unless there are other arguments.
func (w *world) examine(t *testing.T, args ...string) examined {
	t.Helper()
	if len(args) == 0 {
		args = []string{"-kubeconfig", w.kubeconfig}
	}
	var out, errOut bytes.Buffer
	e := examined{all: map[string]line{}}
	e.code = commands.Doctor(append(args, "-o", "json"), strings.NewReader(""), &out, &errOut)
	var report struct{ Checks []line }
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatalf("exit code %d: %v\n%s%s", e.code, err, out.String(), errOut.String())
	}
	for _, l := range report.Checks {
		prose.Check(t, l.What)
		prose.Check(t, l.Remedy)
		e.all[l.Check] = l
		e.text += fmt.Sprintf("%-8s%-10s %s => %s\n", l.Light, l.Check, l.What, l.Remedy)
	}
	t.Log("\n" + e.text)
	return e
}

// want fails the test unless a line has the light and the words.
func (e examined) want(t *testing.T, check, light string, words ...string) {
	t.Helper()
	l, ok := e.all[check]
	if !ok || l.Light != light {
		t.Errorf("%s is %q, want %s", check, l.Light, light)
	}
	for _, word := range words {
		if !strings.Contains(l.What+" => "+l.Remedy, word) {
			t.Errorf("%s says %q without %q", check, l.What+" => "+l.Remedy, word)
		}
	}
}

// replace replaces words of a text that must be there.
func replace(t *testing.T, text, old, replacement string) string {
	t.Helper()
	if !strings.Contains(text, old) {
		t.Fatalf("no %q", old)
	}
	return strings.Replace(text, old, replacement, 1)
}
