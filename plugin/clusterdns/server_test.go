package clusterdns

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/coredns/coredns/plugin"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/transfer"
	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/kit/coredns"
)

// Register under the directive that CoreDNS already knows.
func init() { plugin.Register("kubernetes", SetupAs("kubernetes")) }

// manifest returns the path of a file with one Namespace.
func manifest(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "manifest.yaml")
	if err := os.WriteFile(path, []byte("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// answerFrom starts a server with the properties on a port that the kernel chooses, with a
// cache ahead, and asks it twice, so that the cache could give the second answer.
func answerFrom(t *testing.T, properties, name string, qtype uint16) *dns.Msg {
	t.Helper()
	text := "cluster.local:0 {\n bind 127.0.0.1\n cache\n kubernetes {\n manifests " + manifest(t) + "\n" + properties + "\n}\n}\n"
	i := coredns.StartTest(t, text)
	var m *dns.Msg
	for range 2 {
		var err error
		if m, _, err = coredns.Client("udp").Exchange(new(dns.Msg).SetQuestion(name, qtype), i.UDP()); err != nil {
			t.Fatal(err)
		}
	}
	return m
}

// D23: a TTL of 0 stays 0 with a cache, which would otherwise make it 5 and keep the
// answer.
func TestD23TTLZeroBehindCache(t *testing.T) {
	for _, name := range []string{"cluster.local.", "absent.cluster.local."} {
		m := answerFrom(t, "ttl 0", name, dns.TypeSOA)
		for _, rr := range append(m.Answer, m.Ns...) {
			if soa := rr.(*dns.SOA); soa.Hdr.Ttl != 0 || soa.Minttl != 0 {
				t.Errorf("%s: %s", name, soa)
			}
		}
		if len(m.Answer)+len(m.Ns) != 1 {
			t.Errorf("%s: %s", name, m)
		}
	}
}

// D24: a server that is bound to an address publishes it.
func TestD24NameServerUnderBind(t *testing.T) {
	m := answerFrom(t, "", "cluster.local.", dns.TypeNS)
	if len(m.Answer) != 1 || m.Answer[0].(*dns.NS).Ns != "ns.dns.cluster.local." {
		t.Errorf("no name server: %s", m)
	}
	if len(m.Extra) != 1 || m.Extra[0].(*dns.A).A.String() != "127.0.0.1" {
		t.Errorf("not the address that the server is bound to: %s", m)
	}
}
