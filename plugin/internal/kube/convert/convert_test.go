package convert

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// compared makes cmp compare objects of the model by value.
var compared = cmp.Options{
	cmpopts.EquateComparable(netip.Addr{}),
	cmpopts.IgnoreUnexported(cluster.Slice{}, cluster.Resolver{}),
	cmp.AllowUnexported(cluster.Pod{}, cluster.Profile{}, cluster.Endpoints{}),
	cmpopts.EquateEmpty(),
}

func decode[T any](t *testing.T, text string) *T {
	t.Helper()
	object := new(T)
	if err := yaml.UnmarshalStrict([]byte(text), object); err != nil {
		t.Fatal(err)
	}
	return object
}

func addrs(texts ...string) []netip.Addr {
	var all []netip.Addr
	for _, text := range texts {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

var webKey = cluster.Key{Namespace: "shop", Name: "web"}

var serviceTests = []struct {
	name string
	text string
	want cluster.Service
}{
	{
		"ClusterIP, single stack",
		"spec: {clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1]}",
		cluster.Service{Key: webKey, ClusterIPs: addrs("10.0.0.1")},
	},
	{
		"ClusterIP, dual stack",
		"spec: {clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, 'fd00::1']}",
		cluster.Service{Key: webKey, ClusterIPs: addrs("10.0.0.1", "fd00::1")},
	},
	{
		"clusterIP without clusterIPs, as written by hand",
		"spec: {clusterIP: 10.0.0.1}",
		cluster.Service{Key: webKey, ClusterIPs: addrs("10.0.0.1")},
	},
	{
		"no clusterIP yet",
		"spec: {type: LoadBalancer}",
		cluster.Service{Key: webKey},
	},
	{
		"IPv4 address in IPv6 form",
		"spec: {clusterIP: '::ffff:10.0.0.1'}",
		cluster.Service{Key: webKey, ClusterIPs: addrs("10.0.0.1")},
	},
	{
		"clusterIP that is no address",
		"spec: {clusterIPs: [10.0.0.256, 'fe80::1%eth0', 10.0.0.1]}",
		cluster.Service{Key: webKey, ClusterIPs: addrs("10.0.0.1")},
	},
	{
		"headless",
		"spec: {clusterIP: None, clusterIPs: [None]}",
		cluster.Service{Key: webKey, Kind: cluster.Headless},
	},
	{
		"headless by clusterIPs alone",
		"spec: {clusterIPs: [None]}",
		cluster.Service{Key: webKey, Kind: cluster.Headless},
	},
	{
		"ports",
		"spec: {clusterIP: None, ports: [{name: HTTP, port: 80}, {port: 53, protocol: UDP}, {name: none}, {port: 70000}]}",
		cluster.Service{Key: webKey, Kind: cluster.Headless, Ports: []cluster.Port{{Name: "http", Protocol: "tcp", Number: 80}, {Protocol: "udp", Number: 53}}},
	},
	{
		"ExternalName",
		"spec: {type: ExternalName, externalName: Example.com}",
		cluster.Service{Key: webKey, Kind: cluster.ExternalName, Target: "Example.com."},
	},
	{
		"ExternalName, fully qualified, headless as well",
		"spec: {type: ExternalName, externalName: example.com., clusterIP: None}",
		cluster.Service{Key: webKey, Kind: cluster.ExternalName, Target: "example.com."},
	},
	{
		"ExternalName of an IPv4 address",
		"spec: {type: ExternalName, externalName: 192.0.2.1}",
		cluster.Service{Key: webKey, Kind: cluster.ExternalName},
	},
	{
		"ExternalName of an IPv4 address with a dot",
		"spec: {type: ExternalName, externalName: 192.0.2.1.}",
		cluster.Service{Key: webKey, Kind: cluster.ExternalName},
	},
	{
		"ExternalName of an IPv6 address",
		"spec: {type: ExternalName, externalName: '2001:db8::1'}",
		cluster.Service{Key: webKey, Kind: cluster.ExternalName},
	},
	{
		"ExternalName that is no domain name",
		"spec: {type: ExternalName, externalName: example..com}",
		cluster.Service{Key: webKey, Kind: cluster.ExternalName},
	},
	{
		"ExternalName with a label too long for a message",
		"spec: {type: ExternalName, externalName: label-of-sixty-four-characters-000000000000000000123456789abcdef.example.com}",
		cluster.Service{Key: webKey, Kind: cluster.ExternalName},
	},
	{
		"ExternalName without a name",
		"spec: {type: ExternalName}",
		cluster.Service{Key: webKey, Kind: cluster.ExternalName},
	},
	{
		"external addresses",
		"spec: {clusterIP: 10.0.0.1, externalIPs: [192.0.2.1, x]}\n" +
			"status: {loadBalancer: {ingress: [{ip: 192.0.2.2}, {ip: '2001:db8::2'}, {hostname: lb.example.com}, {ip: 192.0.2.3, hostname: both.example.com}, {hostname: 192.0.2.4}]}}",
		cluster.Service{
			Key:           webKey,
			ClusterIPs:    addrs("10.0.0.1"),
			ExternalIPs:   addrs("192.0.2.1", "192.0.2.2", "2001:db8::2", "192.0.2.3"),
			ExternalHosts: []string{"lb.example.com."},
		},
	},
	{
		"addresses and hostnames that are there twice",
		"spec: {clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, '2001:db8::1', 10.0.0.1], externalIPs: [192.0.2.1, 192.000.2.1, 192.0.2.2]}\n" +
			"status: {loadBalancer: {ingress: [{ip: 192.0.2.2}, {ip: 192.0.2.1}, {hostname: lb.example.com}, {hostname: lb.example.com.}]}}",
		cluster.Service{
			Key:           webKey,
			ClusterIPs:    addrs("10.0.0.1", "2001:db8::1"),
			ExternalIPs:   addrs("192.0.2.1", "192.0.2.2"),
			ExternalHosts: []string{"lb.example.com."},
		},
	},
}

func TestService(t *testing.T) {
	const meta = "metadata: {name: web, namespace: shop}\n"
	for _, tc := range serviceTests {
		t.Run(tc.name, func(t *testing.T) {
			got := New(Settings{}).Service(decode[corev1.Service](t, meta+tc.text))
			if diff := cmp.Diff(&tc.want, got, compared); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPod(t *testing.T) {
	const meta = "metadata: {name: web-0, namespace: shop, uid: 1234, labels: {app: web}}\n"
	web := cluster.Pod{Namespace: "shop", ID: PodID(cluster.Key{Namespace: "shop", Name: "web-0"}), UID: PodUID(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "1234"}})}
	host := web
	host.HostNetwork = true
	plain := cluster.NewPod(web, cluster.Profile{}, addrs("10.1.0.1")...)
	resolver := func(p cluster.Pod, r cluster.Resolver) *cluster.Pod {
		return cluster.NewPod(p, cluster.Profile{Resolver: &r}, addrs("10.1.0.1")...)
	}
	const running = "status: {phase: Running, podIPs: [{ip: 10.1.0.1}]}\n"
	for _, tc := range []struct {
		name string
		text string
		want *cluster.Pod
	}{
		{"running", running + "spec: {dnsPolicy: ClusterFirst}", plain},
		{"policy not given", running, plain},
		{"the older field alone", "status: {phase: Running, podIP: 10.1.0.1}", plain},
		{"pending, with an address", "status: {phase: Pending, podIPs: [{ip: 10.1.0.1}]}", plain},
		{"pending, without", "status: {phase: Pending}", nil},
		{"succeeded", "status: {phase: Succeeded, podIPs: [{ip: 10.1.0.1}]}", nil},
		{"failed", "status: {phase: Failed, podIPs: [{ip: 10.1.0.1}]}", nil},
		{"unknown", "status: {phase: Unknown, podIPs: [{ip: 10.1.0.1}]}", nil},
		{
			"dual stack",
			"status: {phase: Running, podIPs: [{ip: 10.1.0.1}, {ip: 'fd00::1'}]}",
			cluster.NewPod(web, cluster.Profile{}, addrs("10.1.0.1", "fd00::1")...),
		},
		{"on the host's network", running + "spec: {hostNetwork: true}", cluster.NewPod(host, cluster.Profile{}, addrs("10.1.0.1")...)},
		{"policy Default", running + "spec: {dnsPolicy: Default}", resolver(web, cluster.Resolver{Policy: "Default", Ndots: -1})},
		{
			"policy ClusterFirstWithHostNet",
			running + "spec: {dnsPolicy: ClusterFirstWithHostNet, hostNetwork: true}",
			resolver(host, cluster.Resolver{Policy: "ClusterFirstWithHostNet", Ndots: -1}),
		},
		{
			"ndots",
			running + "spec: {dnsConfig: {options: [{name: edns0}, {name: ndots, value: '1'}]}}",
			resolver(web, cluster.Resolver{Policy: "ClusterFirst", Ndots: 1}),
		},
		{
			"ndots that is no number",
			running + "spec: {dnsConfig: {options: [{name: ndots, value: many}, {name: ndots}]}}",
			plain,
		},
		{
			"searches",
			running + "spec: {dnsConfig: {searches: [Example.com, no..name]}}",
			resolver(web, cluster.Resolver{Policy: "ClusterFirst", Searches: []string{"\x07example\x03com\x00"}, Ndots: -1}),
		},
		{"dnsConfig without effect on questions", running + "spec: {dnsConfig: {options: [{name: edns0}]}}", plain},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := New(Settings{}).Pod(decode[corev1.Pod](t, meta+tc.text))
			if diff := cmp.Diff(tc.want, got, compared); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A Pod is ready if its condition Ready is true, whatever the others are.
func TestPodReady(t *testing.T) {
	for text, want := range map[string]bool{
		"[]":                              false,
		"[{type: Ready, status: 'True'}]": true,
		"[{type: Initialized, status: 'True'}, {type: Ready, status: 'False'}]": false,
		"[{type: Initialized, status: 'False'}, {type: Ready, status: 'True'}]": true,
		"[{type: Ready, status: Unknown}]":                                      false,
	} {
		if got := PodReady(*decode[[]corev1.PodCondition](t, text)); got != want {
			t.Errorf("%s: ready is %v", text, got)
		}
	}
}

// Names and labels of Pods are kept only with the setting for them.
func TestPodProfile(t *testing.T) {
	pod := decode[corev1.Pod](t, "metadata: {name: web-0, namespace: shop, labels: {app: web}}\nstatus: {podIPs: [{ip: 10.1.0.1}]}")
	for asked, want := range map[bool]cluster.Profile{
		false: {},
		true:  {Name: "web-0", Labels: map[string]string{"app": "web"}},
	} {
		got := New(Settings{PodLabels: asked}).Pod(pod)
		if diff := cmp.Diff(&want, got.Profile, compared); diff != "" {
			t.Error(diff)
		}
	}
}
