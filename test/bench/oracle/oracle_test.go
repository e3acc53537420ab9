package oracle

import (
	"slices"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/clusterdns/clusterdns/test/refcluster"
)

var small = refcluster.Shape{Seed: 1, Namespaces: 2, Services: 20, Headless: 2, Endpoints: 220, Largest: 30}

func TestLookup(t *testing.T) {
	o := New(small)
	virtual, headless := o.ServiceName(0), o.ServiceName(9)
	_, above, _ := strings.Cut(virtual, ".")
	for _, tc := range []struct {
		qname string
		qtype uint16
		rcode int
		data  int
	}{
		{virtual, dns.TypeA, dns.RcodeSuccess, 1},
		{virtual, dns.TypeAAAA, dns.RcodeSuccess, 0},
		{above, dns.TypeA, dns.RcodeSuccess, 0},
		{"www.example.com." + above, dns.TypeA, dns.RcodeNameError, 0},
		{"_http._tcp." + virtual, dns.TypeSRV, dns.RcodeSuccess, 1},
		{"_tcp." + virtual, dns.TypeSRV, dns.RcodeSuccess, 0},
		{headless, dns.TypeA, dns.RcodeSuccess, 10},
		{"_http._tcp." + headless, dns.TypeSRV, dns.RcodeSuccess, 10},
		{o.ServiceName(19), dns.TypeA, dns.RcodeSuccess, 30},
		{"0.1.96.10.in-addr.arpa.", dns.TypePTR, dns.RcodeSuccess, 1},
		{"host-001." + Outside, dns.TypeA, dns.RcodeSuccess, 1},
		{"svc." + Domain, dns.TypeA, dns.RcodeSuccess, 0},
	} {
		got := o.Lookup(tc.qname, tc.qtype)
		if got.Rcode != tc.rcode || len(got.Data) != tc.data || !slices.IsSorted(got.Data) {
			t.Errorf("%s %s: %v, want code %d and %d records in order", tc.qname, dns.TypeToString[tc.qtype], got, tc.rcode, tc.data)
		}
	}
}

// A zone file has every record once, and other programs can parse it.
func TestWriteZone(t *testing.T) {
	o := New(small)
	for _, origin := range Zones {
		var text strings.Builder
		if err := o.WriteZone(&text, origin); err != nil {
			t.Fatal(err)
		}
		got := 0
		parser := dns.NewZoneParser(strings.NewReader(text.String()), "", "")
		for rr, ok := parser.Next(); ok; rr, ok = parser.Next() {
			if !dns.IsSubDomain(origin, rr.Header().Name) {
				t.Errorf("%s is not in %s", rr, origin)
			}
			got++
		}
		want := 0
		for _, owner := range o.Owners(origin) {
			want += len(o.records[owner])
		}
		if err := parser.Err(); err != nil || got != want {
			t.Errorf("%s: %d records, want %d, error %v", origin, got, want, err)
		}
	}
}
