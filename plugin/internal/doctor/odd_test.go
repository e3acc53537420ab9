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

func examine(t *testing.T, c oddCluster) []Result {
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
