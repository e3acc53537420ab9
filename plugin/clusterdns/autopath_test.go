package clusterdns

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/coredns/coredns/plugin/autopath"
	clog "github.com/coredns/coredns/plugin/pkg/log"
	"github.com/coredns/coredns/plugin/test"
	"github.com/coredns/coredns/request"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/chain"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

var _ autopath.AutoPather = (*ClusterDNS)(nil)

const (
	podAddr  = "10.244.0.1"
	podAddr6 = "fd00::1"
	nodeAddr = "192.0.2.1"
)

// podHandler returns a handler whose cluster has a Pod in the Namespace shop.
func podHandler(t *testing.T, directive string) *ClusterDNS {
	t.Helper()
	cfg, err := parseText(t, directive)
	if err != nil {
		t.Fatal(err)
	}
	d := &ClusterDNS{directive: "clusterdns", gate: new(chain.CacheGate), view: cfg.view, store: testStore(), answers: collectors.Servers(), search: newSearchPath(t.TempDir(), cfg.place, clog.P{})}
	txn := d.store.Begin()
	labels := map[string]string{"app": "web", "example.com/tier": "1"}
	txn.ReplacePod(nil, cluster.NewPod(cluster.Pod{Namespace: "shop"}, cluster.Profile{Name: "web-0", Labels: labels},
		netip.MustParseAddr(podAddr), netip.MustParseAddr(podAddr6)))
	txn.ReplacePod(nil, cluster.NewPod(cluster.Pod{Namespace: "drop", HostNetwork: true}, cluster.Profile{}, netip.MustParseAddr(nodeAddr)))
	txn.Commit()
	return d
}

// questionFrom returns a question from an address.
func questionFrom(addr, name string) request.Request {
	return request.Request{
		Req: new(dns.Msg).SetQuestion(name, dns.TypeA),
		W:   &test.ResponseWriter{RemoteIP: addr},
	}
}

func TestAutoPath(t *testing.T) {
	const cluster, root = "shop.svc.cluster.local. svc.cluster.local. cluster.local. corp.example. ", "shop.svc. svc.  corp.example. "
	for _, tc := range []struct {
		title, directive, addr, name, want string
	}{
		{"searched", "kubernetes cluster.local", podAddr, "www.example.com.shop.svc.cluster.local.", cluster},
		{"one label", "kubernetes cluster.local", podAddr, "db.shop.svc.cluster.local.", cluster},
		{"upper case", "kubernetes Cluster.local", podAddr, "DB.Shop.svc.CLUSTER.local.", strings.Replace(cluster, "shop.svc.cluster", "Shop.svc.CLUSTER", 1)},
		{"IPv6", "kubernetes cluster.local", podAddr6, "db.shop.svc.cluster.local.", cluster},
		{"IPv4 in IPv6 form", "kubernetes cluster.local", "::ffff:" + podAddr, "db.shop.svc.cluster.local.", cluster},
		{"the root as a zone", "kubernetes .", podAddr, "db.shop.svc.", root},
		{"a name that exists", "kubernetes cluster.local", podAddr, "web.shop.svc.cluster.local.", ""},
		{"an alias that exists", "kubernetes cluster.local", podAddr, "out.shop.svc.cluster.local.", ""},
		{"no suffix of the client's", "kubernetes cluster.local", podAddr, "web.drop.svc.cluster.local.", ""},
		{"above the suffix", "kubernetes cluster.local", podAddr, "svc.cluster.local.", ""},
		{"a dot within a label", "kubernetes cluster.local", podAddr, `web\.shop.svc.cluster.local.`, ""},
		{"not in a zone", "kubernetes cluster.local", podAddr, "www.example.com.", ""},
		{"reverse zone", "kubernetes cluster.local in-addr.arpa", podAddr, "1.0.0.10.in-addr.arpa.", ""},
		{"nobody's address", "kubernetes cluster.local", "10.244.0.9", "db.shop.svc.cluster.local.", ""},
		{"no address", "kubernetes cluster.local", "unix", "db.shop.svc.cluster.local.", ""},
	} {
		d := podHandler(t, tc.directive+" {\n pods verified\n}")
		d.search.node = []string{"corp.example."}
		if got := strings.Join(d.AutoPath(questionFrom(tc.addr, tc.name)), " "); got != tc.want {
			t.Errorf("%s: search path is %q, want %q", tc.title, got, tc.want)
		}
	}
}

// D21: the suffix itself is not a searched name, and the plugin autopath cannot shorten it.
// An address of several Pods identifies nobody.
func TestD21NoSearchPath(t *testing.T) {
	d := podHandler(t, "kubernetes cluster.local {\n pods verified\n}")
	for addr, name := range map[string]string{podAddr: "Shop.svc.cluster.local.", podAddr6: "shop.svc.cluster.local.", nodeAddr: "web.drop.svc.cluster.local."} {
		if path := d.AutoPath(questionFrom(addr, name)); path != nil {
			t.Errorf("%s from %s: search path is %q", name, addr, path)
		}
	}
}

// Until all Pods are known, none is.
func TestAutoPathBeforeSync(t *testing.T) {
	d := podHandler(t, "kubernetes cluster.local {\n pods verified\n}")
	d.store = cluster.NewStore()
	if path := d.AutoPath(questionFrom(podAddr, "web.shop.svc.cluster.local.")); path != nil {
		t.Errorf("search path is %q", path)
	}
}

func TestAutoPathNeedsPods(t *testing.T) {
	d := podHandler(t, "kubernetes cluster.local {\n pods insecure\n}")
	warned := 0
	d.search.warn = func() { warned++ }
	if path := d.AutoPath(questionFrom(podAddr, "web.shop.svc.cluster.local.")); path != nil || warned != 1 {
		t.Errorf("search path is %q, %d warnings", path, warned)
	}
}

func TestReadSearch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(path, []byte("nameserver 192.0.2.1\nsearch Corp.Example . lab.example.\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := readSearch(path), []string{"corp.example.", "", "lab.example."}; !slices.Equal(got, want) {
		t.Errorf("search list is %q, want %q", got, want)
	}
	if got := readSearch(path + ".not"); got != nil {
		t.Errorf("search list of no file is %q", got)
	}
}
