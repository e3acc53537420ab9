package deploy

import (
	"encoding/json"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"
)

// TestMonitoringObjects checks what kubectl apply -k deploy/monitoring applies. The rules and the
// dashboard themselves have tests beside them.
func TestMonitoringObjects(t *testing.T) {
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), "monitoring")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]string{}
	for _, r := range built.Resources() {
		names[r.GetKind()] = r.GetNamespace() + "/" + r.GetName()
		if r.GetKind() != "ConfigMap" {
			continue
		}
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		checkDashboard(t, text)
	}
	if len(names) != 2 || names["PrometheusRule"] != namespace+"/clusterdns" || names["ConfigMap"] != namespace+"/clusterdns-dashboard" {
		t.Errorf("%v", names)
	}
}

// checkDashboard checks the ConfigMap as kube-prometheus-stack's Grafana looks for it.
func checkDashboard(t *testing.T, text []byte) {
	t.Helper()
	var c corev1.ConfigMap
	if err := yaml.UnmarshalStrict(text, &c); err != nil {
		t.Fatal(err)
	}
	if c.Labels["grafana_dashboard"] != "1" || !json.Valid([]byte(c.Data["dashboard.json"])) {
		t.Errorf("labels %v, %d octets", c.Labels, len(c.Data["dashboard.json"]))
	}
}
