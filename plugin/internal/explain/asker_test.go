package explain

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/explain/resolvconf"
)

// listOf answers every request with a list.
type listOf string

func (l listOf) Read(_ context.Context, path string, query map[string]string) ([]byte, error) {
	if path != "/api/v1/namespaces/shop/pods" || query["fieldSelector"] != "metadata.name=web" {
		return nil, errors.New("forbidden")
	}
	return []byte(l), nil
}

func TestFindAsker(t *testing.T) {
	o := Options{Namespace: "shop", Pod: "web"}
	got, err := FindAsker(t.Context(), listOf(`{"items": [{"metadata": {"name": "web"}, "spec": {"hostNetwork": true, "dnsPolicy": "None", "dnsConfig": {"nameservers": ["192.0.2.1"]}}, "status": {"podIP": "10.0.0.1"}}]}`), o)
	want := &resolvconf.Pod{Policy: corev1.DNSNone, Config: &corev1.PodDNSConfig{Nameservers: []string{"192.0.2.1"}}, HostNetwork: true, Address: "10.0.0.1"}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want, +got):\n%s", err, diff)
	}
	if _, err := FindAsker(t.Context(), listOf(`{"items": []}`), o); !errors.As(err, new(AbsentError)) {
		t.Errorf("no Pod: %v", err)
	}
	for _, other := range []Options{{Namespace: "other", Pod: "web"}, {Namespace: "shop", Pod: "web"}} {
		if _, err := FindAsker(t.Context(), listOf("nonsense"), other); err == nil || errors.As(err, new(AbsentError)) {
			t.Errorf("%+v: %v", other, err)
		}
	}
}
