package doctor

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
)

// oddCluster is what an API server says, by path.
type oddCluster map[string]string

// ServeHTTP implements http.Handler.
func (c oddCluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if text, ok := c[r.URL.Path]; ok {
		_, _ = w.Write([]byte(text))
		return
	}
	w.WriteHeader(http.StatusNotFound)
	_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": http.StatusNotFound})
}

// oddService is the Service of DNS, with an address and ports.
func oddService(address, ports string) string {
	return `{"items": [{"metadata": {"name": "kube-dns", "namespace": "kube-system"},
		"spec": {"clusterIP": "` + address + `", "clusterIPs": ["` + address + `"], "selector": {"k8s-app": "kube-dns"}, "ports": [` + ports + `]}}]}`
}

const (
	bothPorts = `{"port": 53, "protocol": "UDP", "targetPort": 53}, {"port": 53, "protocol": "TCP", "targetPort": 53}`

	oddPod = `{"items": [{"metadata": {"name": "coredns-a", "namespace": "kube-system", "labels": {"k8s-app": "kube-dns"}},
		"spec": {"containers": [{"name": "coredns", "args": ["-conf", "/etc/coredns/Corefile"], "volumeMounts": [{"name": "config", "mountPath": "/etc/coredns"}]}],
			"volumes": [{"name": "config", "configMap": {"name": "coredns"}}]},
		"status": {"phase": "Running", "podIP": "192.0.2.1", "podIPs": [{"ip": "192.0.2.1"}], "conditions": [{"type": "Ready", "status": "True"}]}}]}`
	oddNode = `{"items": [{"metadata": {"name": "n"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}]}`
)

// sixCluster has IPv6 alone, and a cache on each node at an address that is not link-local.
func sixCluster() oddCluster {
	beside := `, {"metadata": {"name": "node-local-dns-x", "namespace": "kube-system", "labels": {"k8s-app": "node-local-dns"}, "ownerReferences": [{"kind": "DaemonSet", "name": "node-local-dns", "controller": true}]},
		"spec": {"hostNetwork": true, "containers": [{"name": "node-cache", "args": ["-localip", "fd00:53::10"], "ports": [{"containerPort": 53, "protocol": "UDP"}]}]},
		"status": {"phase": "Running", "podIP": "2001:db8::1"}}]}`
	return oddCluster{
		"/api/v1/namespaces/kube-system/services": oddService("fd00:10:96::a", bothPorts),
		"/api/v1/namespaces/kube-system/pods":     strings.ReplaceAll(strings.TrimSuffix(oddPod, "]}")+beside, "192.0.2.1", "2001:db8::2"),
		"/api/v1/nodes":                           oddNode,
		"/api/v1/nodes/n/proxy/configz":           `{"kubeletconfig": {"clusterDNS": ["fd00:53::10"], "clusterDomain": "cluster.local"}}`,
	}
}

// TestCacheOnNode: kubelet may give Pods any address of a cache that is seen on nodes.
func TestCacheOnNode(t *testing.T) {
	for _, r := range examine(t, sixCluster()) {
		if want := map[string]string{"service": "gives Pods fd00:53::10, a cache on the node", "resolver": "which is the cache DaemonSet node-local-dns on their node"}[r.Check]; r.Light != greenLight && want != "" || !strings.Contains(r.What, want) {
			t.Errorf("%+v", r)
		}
	}
}

// busy is an API server that puts off all requests.
type busy struct{}

// ServeHTTP implements http.Handler.
func (busy) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "30")
	w.WriteHeader(http.StatusTooManyRequests)
}

// TestThrottled: an API server that asks to come later has answered.
func TestThrottled(t *testing.T) {
	said := 0
	for _, r := range examine(t, busy{}) {
		if strings.Contains(r.What, "does not answer") {
			t.Errorf("%+v", r)
		}
		if r.Light == noLight && strings.Contains(r.What, "has too many requests, and asks to come again later (429)") {
			said++
		}
	}
	if said < 5 {
		t.Errorf("%d lines say that the API server is busy", said)
	}
}

// TestOddClusters: what a cluster does not have is named, and no line is empty.
func TestOddClusters(t *testing.T) {
	for _, tc := range []struct {
		name, address, ports string
		check, light, what   string
	}{
		{"kubelet without clusterDNS", "10.96.0.10", bothPorts, "resolver", "yellow", "has no clusterDNS, so Pods ask the resolvers of their node"},
		{"a headless Service", "None", bothPorts, "service", "red", "Service kube-system/kube-dns is headless, so it has no address that kubelet could give to Pods"},
		{"no ConfigMap", "10.96.0.10", bothPorts, "corefile", "unknown", "there is no ConfigMap kube-system/coredns"},
		{"no port for TCP", "10.96.0.10", `{"port": 53, "protocol": "UDP", "targetPort": 53}`, "replies", "unknown", "it has no address or no such port"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			for _, r := range examine(t, oddCluster{
				"/api/v1/namespaces/kube-system/services": oddService(tc.address, tc.ports),
				"/api/v1/namespaces/kube-system/pods":     oddPod,
				"/api/v1/nodes":                           oddNode,
				"/api/v1/nodes/n/proxy/configz":           `{"kubeletconfig": {}}`,
			}) {
				light, _ := json.Marshal(r.Light)
				if r.What == "" {
					t.Errorf("%s says nothing", r.Check)
				}
				if r.Check == tc.check && (!strings.Contains(string(light), tc.light) || !strings.Contains(r.What, tc.what)) {
					t.Errorf("%s %s %s, want %s %s", r.Check, light, r.What, tc.light, tc.what)
				}
			}
		})
	}
}

func examine(t *testing.T, c http.Handler) []Result {
	t.Helper()
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "config")
	kubeconfig := `{apiVersion: v1, kind: Config, current-context: odd, contexts: [{name: odd, context: {cluster: odd}}], clusters: [{name: odd, cluster: {server: "` + server.URL + `"}}]}`
	if err := os.WriteFile(path, []byte(kubeconfig), 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), patient.Options{Kubeconfig: path})
	if err != nil {
		t.Fatal(err)
	}
	return r.Results
}
