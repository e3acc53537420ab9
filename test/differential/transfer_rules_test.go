package differential

import (
	"slices"
	"testing"

	"github.com/miekg/dns"
	corev1 "k8s.io/api/core/v1"
)

// Each matcher makes the change that its entry describes, and no other.
func TestTransferMatchers(t *testing.T) {
	const (
		soa  = "cluster.local. 5 IN SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 2 3 4 5"
		a    = "web.shop.svc.cluster.local. 5 IN A 10.0.0.1"
		b    = "web.shop.svc.cluster.local. 5 IN A 10.0.0.2"
		zero = "web.shop.svc.cluster.local. 0 IN A 10.0.0.1"
		srv  = "_a._tcp.web.shop.svc.cluster.local. 5 IN SRV 0 50 80 x.web.shop.svc.cluster.local."
		srv2 = "_a._tcp.web.shop.svc.cluster.local. 5 IN SRV 0 33 80 x.web.shop.svc.cluster.local."
	)
	for _, tc := range []struct {
		name, zone  string
		stock, ours []string // nil for a refusal
		equal       bool
	}{
		{"nothing", "cluster.local.", []string{soa, a, soa}, []string{soa, a, soa}, true},
		{"one less", "cluster.local.", []string{soa, a, b, soa}, []string{soa, a, soa}, false},
		{"one more", "cluster.local.", []string{soa, a, soa}, []string{soa, a, b, soa}, false},
		{"no SOA at the end", "cluster.local.", []string{soa, a, soa}, []string{soa, a}, false},
		{"TTL", "cluster.local.", []string{soa, zero, soa}, []string{soa, a, soa}, true},
		{"TTL and twice", "cluster.local.", []string{soa, zero, a, soa}, []string{soa, a, soa}, true},
		{"other TTL", "cluster.local.", []string{soa, a, soa}, []string{soa, zero, soa}, false},
		{"weights", "cluster.local.", []string{soa, srv, srv2, soa}, []string{soa, srv2, soa}, true},
		{"weights that are not a look-up's", "cluster.local.", []string{soa, srv, srv2, soa}, []string{soa, srv, soa}, false},
		{"one weight", "cluster.local.", []string{soa, srv, soa}, []string{soa, srv2, soa}, false},
		{"refused", "cluster.local.", []string{soa, a, soa}, nil, false},
		{"refused below", "svc.cluster.local.", []string{soa, a, soa}, nil, true},
		{"refused reverse", "10.in-addr.arpa.", []string{soa, a, soa}, nil, true},
		{"given below", "svc.cluster.local.", []string{soa, a, soa}, []string{soa, a, soa}, false},
		{"both refuse", "cluster.local.", nil, nil, true},
		{"stock refuses", "cluster.local.", nil, []string{soa, a, soa}, false},
	} {
		w := &world{services: map[string]*corev1.Service{}}
		c := &pulled{scene: &scene{corefile: &corefile{origins: []string{"cluster.local."}, reverse: []string{"10.in-addr.arpa."}, ttl: 5}, world: w}}
		c.lookup = func(_ string, qtype uint16) []dns.RR {
			if qtype != dns.TypeSRV {
				return nil
			}
			return message(t, srv2).Answer
		}
		c.zone, c.qtype, c.stock, c.ours = tc.zone, dns.TypeAXFR, transferOf(t, tc.stock), transferOf(t, tc.ours)
		if by, want := c.explain(); want.equal(c.ours) != tc.equal {
			t.Errorf("%s: by %v\nwant %s\ngot %s", tc.name, by, want.minus(c.ours), c.ours.minus(want))
		}
	}
}

func transferOf(t *testing.T, records []string) *transfer {
	t.Helper()
	if records == nil {
		return &transfer{problem: errRefused}
	}
	return &transfer{records: slices.Clone(message(t, records...).Answer)}
}

// A server may fail in the middle of a transfer.
func TestTransferFailsLate(t *testing.T) {
	got := new(transfer)
	for _, records := range [][]dns.RR{message(t, "cluster.local. 5 IN SOA a. b. 1 2 3 4 5").Answer, nil} {
		got.add(&dns.Envelope{RR: records})
	}
	got.add(&dns.Envelope{Error: errNoSOA}) // of a connection that was closed
	if !failed(got) {
		t.Errorf("it ended with %v", got.problem)
	}
}
