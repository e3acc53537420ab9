package doctor

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coredns/coredns/core/dnsserver"
	corev1 "k8s.io/api/core/v1"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/clusterdns/clusterdns/plugin/internal/check"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/patient"
	"github.com/clusterdns/clusterdns/plugin/internal/doctor/scrape"
)

func metricsOf(t *testing.T, text string) *scrape.Metrics {
	t.Helper()
	m, err := scrape.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func pod(name string) *patient.Replica {
	return &patient.Replica{Pod: &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "coredns"}}}}}
}

func TestExit(t *testing.T) {
	for code, lights := range map[int][]Light{0: {greenLight, yellowLight}, 3: {noLight, redLight, greenLight}, 4: {yellowLight, noLight}} {
		var all []Result
		for _, l := range lights {
			all = append(all, Result{Light: l})
		}
		if got := exit(all); got != code {
			t.Errorf("%v: %d, want %d", lights, got, code)
		}
	}
}

func TestWorst(t *testing.T) {
	got := worst(green("fine"), red("mend it", "one"), yellow("", "two"), red("mend it", "three"), red("", "one"))
	if got.Light != redLight || got.What != "one; three" || got.Remedy != "mend it" {
		t.Errorf("%+v", got)
	}
}

// TestDataOld: data of which nothing has been heard for long.
func TestDataOld(t *testing.T) {
	for _, tc := range []struct {
		name, text string
		want       string
	}{
		{"fresh", "coredns_clusterdns_synced 1\ncoredns_clusterdns_last_event_timestamp_seconds{resource=\"services\"} %d\n", ""},
		{"old", "coredns_clusterdns_synced 1\ncoredns_clusterdns_last_event_timestamp_seconds{resource=\"services\"} %d\n", "Pod a has heard nothing of services for 10m"},
		{"not synced", "coredns_clusterdns_synced 0\n", "Pod a does not know the cluster"},
		{"restored", "coredns_clusterdns_synced 1\ncoredns_clusterdns_restored 1\ncoredns_clusterdns_restored_age_seconds 90\n", "Pod a has started from its file of state, which is 1m30s old"},
		{"manifests", "", ""},
	} {
		age := time.Second
		if tc.name == "old" {
			age = 10 * time.Minute
		}
		if strings.Contains(tc.text, "%d") {
			tc.text = fmt.Sprintf(tc.text, time.Now().Add(-age).Unix())
		}
		all, _ := dataOf(pod("a"), metricsOf(t, tc.text))
		if got := worst(all...); (tc.want == "") != (len(all) == 0) || !strings.Contains(got.What, tc.want) || len(all) > 0 && got.Light != redLight {
			t.Errorf("%s: %+v, want %q", tc.name, got, tc.want)
		}
	}
}

func TestMemory(t *testing.T) {
	r := pod("a")
	r.Spec.Containers[0].Resources.Limits = corev1.ResourceList{corev1.ResourceMemory: quantity.MustParse("170Mi")}
	for _, tc := range []struct {
		taken int
		light Light
		words string
	}{
		{60 << 20, greenLight, "takes 60 MiB for 12 objects"},
		{150 << 20, yellowLight, "Go's limit is 153 MiB"},
	} {
		text := fmt.Sprintf("process_resident_memory_bytes %d\ngo_gc_gomemlimit_bytes %d\ncoredns_clusterdns_objects{resource=\"services\"} 12\n", tc.taken, 153<<20)
		if got := memoryOf(r, metricsOf(t, text)); got.Light != tc.light || !strings.Contains(got.What, tc.words) {
			t.Errorf("%d: %+v", tc.taken, got)
		}
	}
	if got := memoryOf(pod("a"), metricsOf(t, "process_resident_memory_bytes 1e9\ngo_gc_gomemlimit_bytes 9.2e18\n")); got.Light != greenLight || !strings.Contains(got.What, "no limit") {
		t.Errorf("%+v", got)
	}
}

func TestRise(t *testing.T) {
	before, after := metricsOf(t, "lost{outcome=\"a\"} 10\n"), metricsOf(t, "lost{outcome=\"a\"} 30\nlost{outcome=\"b\"} 7\n")
	after.At = before.At.Add(2 * time.Second)
	if got := scrape.Rise(before, after, "lost", "outcome=a"); got != 10 {
		t.Errorf("%g a second", got)
	}
	if got := scrape.Rise(after, before, "lost"); got != 0 { // a restart between both
		t.Errorf("%g a second", got)
	}
}

func TestNeeds(t *testing.T) {
	before := dnsserver.Directives
	dnsserver.Directives = append(slices.Clone(before), "clusterdns", "k8s_gateway")
	defer func() { dnsserver.Directives = before }()
	for corefile, want := range map[string]string{
		".:53 {\n kubernetes cluster.local\n}\n":                                    "services namespaces endpointslices.discovery.k8s.io",
		".:53 {\n clusterdns cluster.local {\n pods verified\n noendpoints\n}\n}\n": "services namespaces pods",
		".:53 {\n kubernetes cluster.local {\n multicluster a.example\n}\n k8s_gateway example.org {\n resources HTTPRoute DNSEndpoint\n}\n}\n": "services namespaces endpointslices.discovery.k8s.io serviceimports.multicluster.x-k8s.io " +
			"gateways.gateway.networking.k8s.io listenersets.gateway.networking.k8s.io httproutes.gateway.networking.k8s.io dnsendpoints.externaldns.k8s.io",
	} {
		o, err := check.Outlined("Corefile", []byte(corefile))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range needs(o) {
			got = append(got, r.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s needs %v", corefile, got)
		}
	}
}

func TestLocalAddresses(t *testing.T) {
	for _, args := range [][]string{{"-localip", "169.254.20.10,10.96.0.10", "-conf", "x"}, {"--localip=169.254.20.10,10.96.0.10"}} {
		p := &corev1.Pod{Spec: corev1.PodSpec{Containers: []corev1.Container{{Args: args}}}}
		if got := localAddresses(p); !slices.Equal(got, []string{"169.254.20.10", "10.96.0.10"}) {
			t.Errorf("%v: %v", args, got)
		}
	}
}

// TestOtherwise: the ServiceAccount does not count where the Corefile names another user.
func TestOtherwise(t *testing.T) {
	for property, want := range map[string]Light{"kubeconfig /k": noLight, "endpoint http://127.0.0.1:1": noLight, "manifests /m": greenLight, "ttl 5": ""} {
		o, err := check.Outlined("Corefile", []byte(".:53 {\n kubernetes cluster.local {\n "+property+"\n}\n}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := otherwise([]*patient.Corefile{{Outline: o}}); got.Light != want {
			t.Errorf("%s: %+v", property, got)
		}
	}
}
