package external

import (
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/plugin/internal/cluster/clustertest"
	"github.com/clusterdns/clusterdns/plugin/internal/dnsname"
	"github.com/clusterdns/clusterdns/plugin/internal/resolve"
)

// FuzzLookup asks for any name and type. The type must not decide whether a name exists,
// and every answer must fit into a message.
func FuzzLookup(f *testing.F) {
	for _, name := range []string{
		"web.default.example.org.", "_http._tcp.lb.default.example.org.", "db-0.db.default.example.org.", "tcp.db.default.example.org.",
		"ns1.dns.example.org.", "dns.example.org.", ".", "arpa.", "2.0.192.in-addr.arpa.", "1.2.0.192.in-addr.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa.",
	} {
		n, err := dnsname.Parse(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(n.Wire()), dns.TypeA)
		f.Add([]byte(n.Wire()), dns.TypeSRV)
	}
	s := clustertest.Snapshot(f, outsideServices)
	v := viewOf(f, "example.org.", "192.in-addr.arpa.", ".")
	v.headless, v.cluster.PodNames, v.cluster.Local = true, true, clustertest.Addrs(f, "10.0.0.3,2001:db8::9")
	v.show(v.cluster)
	f.Fuzz(func(t *testing.T, wire []byte, qtype uint16) {
		n, err := dnsname.ParseWire(wire)
		if err != nil {
			return // no name
		}
		a := v.lookup(s, &n, qtype, unlimited)
		checkOutcome(t, v, s, &n, qtype, &a)
		m := new(dns.Msg).SetQuestion(n.String(), qtype)
		m.Answer, m.Ns, m.Extra = a.Records, a.Authority, a.Extra
		if _, err := m.Pack(); err != nil && qtype != dns.TypeNone {
			t.Errorf("%s %s cannot be sent: %v", n.String(), dns.Type(qtype), err)
		}
		if len(a.Records) == 0 && (a.Result == resolve.NXDomain) != (v.lookup(s, &n, dns.TypeTXT, unlimited).Result == resolve.NXDomain) {
			t.Errorf("%s exists for some types only", n.String())
		}
	})
}
