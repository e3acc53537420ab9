package answer

import (
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// wireSeeds are names in wire form, good and bad.
var wireSeeds = []string{
	"\x00", "", "\x01", "\x01a", "\x01a\x00", "\x01a\x00\x00", "\xc0\x00", "\x01a\xc0\x00", "\x40", "\x80\x00",
	"\x0akubernetes\x07default\x03svc\x07cluster\x05local\x00",
	"\x0aKUBERnetes\x07Default\x03SVC\x07Cluster\x05Local\x00",
	"\x06_https\x04_tcp\x08headless\x07default\x03svc\x07cluster\x05local\x00",
	"\x01_\x04_tcp\x08headless\x07default\x03svc\x07cluster\x05local\x00",
	"\x0a2001-db8--\x08headless\x07default\x03svc\x07cluster\x05local\x00",
	"\x0710-0-0-1\x07default\x03pod\x07cluster\x05local\x00",
	"\x0810.0.0.1\x07default\x03pod\x07cluster\x05local\x00",
	"\x02z1\x03Pin\x05_Zone\x08headless\x07default\x03svc\x07cluster\x05local\x00",
	"\x01h\x04East\x02db\x07default\x03svc\x0aclusterset\x05local\x00",
	"\x011\x010\x013\x0210\x07in-addr\x04arpa\x00", "\x03256\x07in-addr\x04arpa\x00", "\x09x\x07in-addr\x04arpa\x00",
	"\x018\x01b\x01d\x010\x011\x010\x010\x012\x03ip6\x04arpa\x00", "\x01G\x03IP6\x04arpa\x00",
	"\x0c\x04arpa\x00\x07cluster\x05local\x00", "\x03a.b\x02\\.\x01\xff\x05local\x00", "\xe2\x84\xaa\x00",
	strings.Repeat("\x01a", 127) + "\x00", strings.Repeat("\x01a", 128) + "\x00",
	strings.Repeat("\x3f"+strings.Repeat("b", 63), 3) + "\x3d" + strings.Repeat("b", 61) + "\x00",
	strings.Repeat("\x3f"+strings.Repeat("b", 63), 3) + "\x3e" + strings.Repeat("b", 62) + "\x00",
}

// FuzzLookup asks a cluster with all kinds of names for any name and type.
func FuzzLookup(f *testing.F) {
	for i, seed := range wireSeeds {
		f.Add([]byte(seed), uint16(i%40))
		f.Add([]byte(seed), dns.TypeSRV)
		f.Add([]byte(seed), dns.TypeANY)
	}
	s := clustertest.Snapshot(f, specServices+specHeadless+specExternal+namesCluster+apexCluster+clusterSet)
	v := viewOf(f, "clusterset.local.", "cluster.local.", "in-addr.arpa.", "ip6.arpa.", ".")
	v.Origins[0].ClusterSet, v.IgnoreEmpty, v.Zonal = true, true, true
	v.Pods, v.PodNames, v.Local = resolve.PodsInsecure, true, clustertest.Addrs(f, "10.0.0.2,2001:db8::9")
	f.Fuzz(func(t *testing.T, wire []byte, qtype uint16) {
		n, err := dnsname.ParseWire(wire)
		if err != nil {
			return
		}
		a := Lookup(v, s, &n, qtype, unlimited)
		checkForm(t, n.String(), qtype, a)
		if other := Lookup(v, s, &n, qtype+1, unlimited); exists(a) != exists(other) {
			t.Fatalf("%s exists for some types only:\n%s\n%s", n.String(), render(a), render(other))
		}
		if empty := Lookup(v, cluster.NewStore().Load(), &n, qtype, unlimited); empty.Result != resolve.NotReady || len(empty.Authority) != 1 {
			t.Fatalf("%s before the first sync: %s", n.String(), render(empty))
		}
	})
}
