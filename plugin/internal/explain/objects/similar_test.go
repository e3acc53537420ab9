package objects

import (
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestSimilar(t *testing.T) {
	o := &Set{}
	for _, name := range []string{"shop-redis-master", "shop-redis-replicas", "database", "my-service", "db", "web", "a-b-c-d-redis"} {
		o.Services = append(o.Services, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}})
	}
	for name, want := range map[string][]string{
		"redis":      {"a-b-c-d-redis", "shop-redis-master", "shop-redis-replicas"},
		"databse":    {"database"},
		"datbaase":   {"database"},
		"my_service": {"my-service"},
		"myservice":  {"my-service"},
		"db-service": {"db"},
		"web-0":      {"web"},
		"we":         nil,
		"wet":        nil,
		"example":    nil,
		"master":     {"shop-redis-master"},
	} {
		if got := o.Similar("shop", name); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if got := o.Similar("data", "database"); got != nil {
		t.Errorf("of another Namespace: %q", got)
	}
}
