package convert

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/clusterdns/clusterdns/plugin/internal/zone"
)

// compared treats a model object as the tests do: by value.
var compared = cmp.Options{
	cmpopts.EquateComparable(netip.Addr{}),
	cmpopts.IgnoreUnexported(zone.Slice{}, zone.Resolver{}),
	cmp.AllowUnexported(zone.Pod{}, zone.Profile{}, zone.Endpoints{}),
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

var webKey = zone.Key{Namespace: "shop", Name: "web"}

var serviceTests = []struct {
	name string
	text string
	want zone.Service
}{
	{
		"ClusterIP, single stack",
		"spec: {clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1]}",
		zone.Service{Key: webKey, ClusterIPs: addrs("10.0.0.1")},
	},
	{
		"ClusterIP, dual stack",
		"spec: {clusterIP: 10.0.0.1, clusterIPs: [10.0.0.1, 'fd00::1']}",
		zone.Service{Key: webKey, ClusterIPs: addrs("10.0.0.1", "fd00::1")},
	},
	{
		"clusterIP without clusterIPs, as written by hand",
		"spec: {clusterIP: 10.0.0.1}",
		zone.Service{Key: webKey, ClusterIPs: addrs("10.0.0.1")},
	},
	{
		"no clusterIP yet",
		"spec: {type: LoadBalancer}",
		zone.Service{Key: webKey},
	},
	{
		"IPv4 address in IPv6 form",
		"spec: {clusterIP: '::ffff:10.0.0.1'}",
		zone.Service{Key: webKey, ClusterIPs: addrs("10.0.0.1")},
	},
	{
		"clusterIP that is no address",
		"spec: {clusterIPs: [10.0.0.256, 'fe80::1%eth0', 10.0.0.1]}",
		zone.Service{Key: webKey, ClusterIPs: addrs("10.0.0.1")},
	},
	{
		"headless",
		"spec: {clusterIP: None, clusterIPs: [None]}",
		zone.Service{Key: webKey, Kind: zone.Headless},
	},
	{
		"headless by clusterIPs alone",
		"spec: {clusterIPs: [None]}",
		zone.Service{Key: webKey, Kind: zone.Headless},
	},
	{
		"ports",
		"spec: {clusterIP: None, ports: [{name: HTTP, port: 80}, {port: 53, protocol: UDP}, {name: none}, {port: 70000}]}",
		zone.Service{Key: webKey, Kind: zone.Headless, Ports: []zone.Port{{Name: "http", Protocol: "tcp", Number: 80}, {Protocol: "udp", Number: 53}}},
	},
	{
		"ExternalName",
		"spec: {type: ExternalName, externalName: Example.com}",
		zone.Service{Key: webKey, Kind: zone.ExternalName, Target: "Example.com."},
	},
	{
		"ExternalName, fully qualified, headless as well",
		"spec: {type: ExternalName, externalName: example.com., clusterIP: None}",
		zone.Service{Key: webKey, Kind: zone.ExternalName, Target: "example.com."},
	},
	{
		"ExternalName of an IPv4 address",
		"spec: {type: ExternalName, externalName: 192.0.2.1}",
		zone.Service{Key: webKey, Kind: zone.ExternalName},
	},
	{
		"ExternalName of an IPv4 address with a dot",
		"spec: {type: ExternalName, externalName: 192.0.2.1.}",
		zone.Service{Key: webKey, Kind: zone.ExternalName},
	},
	{
		"ExternalName of an IPv6 address",
		"spec: {type: ExternalName, externalName: '2001:db8::1'}",
		zone.Service{Key: webKey, Kind: zone.ExternalName},
	},
	{
		"ExternalName that is no domain name",
		"spec: {type: ExternalName, externalName: example..com}",
		zone.Service{Key: webKey, Kind: zone.ExternalName},
	},
	{
		"ExternalName with a label too long for a message",
		"spec: {type: ExternalName, externalName: label-of-sixty-four-characters-000000000000000000123456789abcdef.example.com}",
		zone.Service{Key: webKey, Kind: zone.ExternalName},
	},
	{
		"ExternalName without a name",
		"spec: {type: ExternalName}",
		zone.Service{Key: webKey, Kind: zone.ExternalName},
	},
	{
		"external addresses",
		"spec: {clusterIP: 10.0.0.1, externalIPs: [192.0.2.1, x]}\n" +
			"status: {loadBalancer: {ingress: [{ip: 192.0.2.2}, {ip: '2001:db8::2'}, {hostname: lb.example.com}, {ip: 192.0.2.3, hostname: both.example.com}, {hostname: 192.0.2.4}]}}",
		zone.Service{
			Key:           webKey,
			ClusterIPs:    addrs("10.0.0.1"),
			ExternalIPs:   addrs("192.0.2.1", "192.0.2.2", "2001:db8::2", "192.0.2.3"),
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
	web := zone.Pod{Namespace: "shop", ID: PodID(zone.Key{Namespace: "shop", Name: "web-0"}), UID: PodUID(&corev1.Pod{ObjectMeta: metav1.ObjectMeta{UID: "1234"}})}
	host := web
	host.HostNetwork = true
	plain := zone.NewPod(web, zone.Profile{}, addrs("10.1.0.1")...)
	resolver := func(p zone.Pod, r zone.Resolver) *zone.Pod {
		return zone.NewPod(p, zone.Profile{Resolver: &r}, addrs("10.1.0.1")...)
	}
	const running = "status: {phase: Running, podIPs: [{ip: 10.1.0.1}]}\n"
	for _, tc := range []struct {
		name string
		text string
		want *zone.Pod
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
			zone.NewPod(web, zone.Profile{}, addrs("10.1.0.1", "fd00::1")...),
		},
		{"on the host's network", running + "spec: {hostNetwork: true}", zone.NewPod(host, zone.Profile{}, addrs("10.1.0.1")...)},
		{"policy Default", running + "spec: {dnsPolicy: Default}", resolver(web, zone.Resolver{Policy: "Default", Ndots: -1})},
		{
			"policy ClusterFirstWithHostNet",
			running + "spec: {dnsPolicy: ClusterFirstWithHostNet, hostNetwork: true}",
			resolver(host, zone.Resolver{Policy: "ClusterFirstWithHostNet", Ndots: -1}),
		},
		{
			"ndots",
			running + "spec: {dnsConfig: {options: [{name: edns0}, {name: ndots, value: '1'}]}}",
			resolver(web, zone.Resolver{Policy: "ClusterFirst", Ndots: 1}),
		},
		{
			"ndots that is no number",
			running + "spec: {dnsConfig: {options: [{name: ndots, value: many}, {name: ndots}]}}",
			plain,
		},
		{
			"searches",
			running + "spec: {dnsConfig: {searches: [Example.com, no..name]}}",
			resolver(web, zone.Resolver{Policy: "ClusterFirst", Searches: []string{"\x07example\x03com\x00"}, Ndots: -1}),
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

// Names and labels of Pods are for whoever asks for them.
func TestPodProfile(t *testing.T) {
	pod := decode[corev1.Pod](t, "metadata: {name: web-0, namespace: shop, labels: {app: web}}\nstatus: {podIPs: [{ip: 10.1.0.1}]}")
	for asked, want := range map[bool]zone.Profile{
		false: {},
		true:  {Name: "web-0", Labels: map[string]string{"app": "web"}},
	} {
		got := New(Settings{PodLabels: asked}).Pod(pod)
		if diff := cmp.Diff(&want, got.Profile, compared); diff != "" {
			t.Error(diff)
		}
	}
}
