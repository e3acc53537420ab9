package clusterdns

import (
	"net/netip"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster"
)

// Known failures of CoreDNS's plugin autopath, by the number of the CoreDNS issue. Those
// that need a whole server are in test/script: coredns#3391.

// coredns#2842: two Pods have the same address for a while. Neither Namespace is guessed,
// and A and AAAA are treated alike.
func TestCoreDNS2842ReusedAddress(t *testing.T) {
	for mode, want := range map[string]string{
		"search pods none": "NXDOMAIN",
		"search pods":      "NOERROR CNAME=www.example.com. A=192.0.2.1",
	} {
		d := searchHandler(t, mode, outside())
		txn := d.store.Begin()
		txn.ReplacePod(nil, cluster.NewPod(cluster.Pod{Namespace: "drop", ID: 2}, cluster.Profile{Name: "new"}, netip.MustParseAddr(podAddr)))
		txn.Commit()
		if got, _ := dig(t, d, podAddr, "www.example.com"+ownSuffix, dns.TypeA); got != want {
			t.Errorf("%s: %s, want %s", mode, got, want)
		}
		_, a := dig(t, d, podAddr, "four.example.com"+ownSuffix, dns.TypeA)
		_, aaaa := dig(t, d, podAddr, "four.example.com"+ownSuffix, dns.TypeAAAA)
		if a.Rcode != aaaa.Rcode {
			t.Errorf("%s: A is %s, AAAA is %s", mode, dns.RcodeToString[a.Rcode], dns.RcodeToString[aaaa.Rcode])
		}
	}
}

// coredns#3765: A was completed and AAAA was not, or the other way round. Here both get the
// same name, whichever family it has, and whichever is asked for first. coredns#2039:
// clients saw AAAA alone.
func TestCoreDNS3765OneFamily(t *testing.T) {
	for _, base := range []string{"www.example.com", "four.example.com", "six.example.com", "wiki.intranet", "web.shop", "nowhere.example.com"} {
		for _, types := range [][2]uint16{{dns.TypeA, dns.TypeAAAA}, {dns.TypeAAAA, dns.TypeA}} {
			for _, mode := range modes {
				d := searchHandler(t, mode, outside())
				_, first := dig(t, d, podAddr, base+ownSuffix, types[0])
				_, second := dig(t, d, podAddr, base+ownSuffix, types[1])
				if first.Rcode != second.Rcode {
					t.Errorf("%s: %s is\n%s\n%s", mode, base, first, second)
				}
			}
		}
	}
}

// coredns#7179: of two replicas, one has the Pod and one does not. If an unknown Pod's
// Namespace is taken from the name, both answer alike.
func TestCoreDNS7179TwoReplicas(t *testing.T) {
	knows, late := searchHandler(t, "search pods", outside()), searchHandler(t, "search pods", outside())
	late.store = testStore()
	for _, base := range []string{"www.example.com", "four.example.com", "wiki.intranet", "web.shop", "nowhere.example.com", "broken.test", "db"} {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA} {
			here, _ := dig(t, knows, podAddr, base+ownSuffix, qtype)
			there, _ := dig(t, late, podAddr, base+ownSuffix, qtype)
			if here != there {
				t.Errorf("%s: one replica says\n%s, the other\n%s", base, here, there)
			}
		}
	}
}
